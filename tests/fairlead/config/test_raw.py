from pathlib import Path

import pytest

from fairlead.config import RawConfig, dotted, load
from fairlead.errors import ConfigError, Finding
from tests.fairlead.config.fakes import CONFIG, written


def wrong(folder: Path, text: str | bytes, *sets: str) -> tuple[Finding, ...]:
    file = folder / "plugins.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(file, sets)
    return caught.value.findings


def test_a_value_is_read_from_the_file_with_its_line(tmp_path: Path) -> None:
    raw = written(tmp_path)

    assert raw.data["engine"] == {"instance": "demo", "currency": "USDT"}
    assert raw.folder == tmp_path
    assert raw.place(("engine", "currency")) == f"{tmp_path}/plugins.toml:3"


def test_a_missing_value_is_placed_at_its_table(tmp_path: Path) -> None:
    raw = written(tmp_path)

    assert raw.place(("strategies", "alt", "levels")).endswith("plugins.toml:10")
    assert raw.place(("strategies", "other")).endswith("plugins.toml:10")
    assert raw.place(("nothing", "of", "it")).endswith("plugins.toml")


def test_a_quoted_key_and_a_dotted_key_have_lines_too(tmp_path: Path) -> None:
    text = '[venues.main.instruments."BTC/USDT"] # rules\ntick.size = "1"\n'

    raw = written(tmp_path, text)

    path = ("venues", "main", "instruments", "BTC/USDT", "tick", "size")
    assert raw.line(path) == 2
    assert raw.line(path[:4]) == 1
    assert dotted(path) == 'venues.main.instruments."BTC/USDT".tick.size'


def test_the_command_line_wins_over_the_environment_over_the_file(tmp_path: Path) -> None:
    env = {"FAIRLEAD_ENGINE__INSTANCE": "env", "FAIRLEAD_ENGINE__CURRENCY": "EUR"}

    raw = written(tmp_path, CONFIG, "engine.instance=set", **env)

    assert raw.data["engine"] == {"instance": "set", "currency": "EUR"}
    assert raw.place(("engine", "instance")) == "--set"
    assert raw.place(("engine", "currency")) == "environment variable FAIRLEAD_ENGINE__CURRENCY"


def test_other_variables_are_left_alone(tmp_path: Path) -> None:
    env = {"FAIRLEAD_DATA": "x", "FAIRLEAD_REQUIRE_DATA": "1", "HOME": "h", "FAIRLEAD__X": "y"}

    raw = written(tmp_path, CONFIG, **env)

    assert raw.data == written(tmp_path).data


def test_a_variable_finds_the_capitals_that_the_file_writes(tmp_path: Path) -> None:
    raw = written(tmp_path, CONFIG, FAIRLEAD_VENUES__MAIN__BALANCES__ALT='"7"')

    assert raw.data["venues"]["main"]["balances"] == {"ALT": "7", "USDT": "5000"}


def test_a_variable_may_name_what_the_file_does_not_have(tmp_path: Path) -> None:
    raw = written(tmp_path, CONFIG, FAIRLEAD_STRATEGIES__ALT__OBLIGATION__MAX_SPREAD="9 bps")

    assert raw.data["strategies"]["alt"]["obligation"] == {"max_spread": "9 bps"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("paper", "paper"),
        ("2 s", "2 s"),
        ('"2 s"', "2 s"),
        ("7", 7),
        ("true", True),
        ('["a", "b"]', ["a", "b"]),
        ("{ count = 3 }", {"count": 3}),
        ("2026-01-01", "2026-01-01"),
        ("nan", "nan"),
        ("1\nother = 2", "1\nother = 2"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_an_override_is_toml_or_else_a_bare_word(tmp_path: Path, text: str, value: object) -> None:
    raw = written(tmp_path, CONFIG, f"engine.extra={text}")

    assert raw.data["engine"]["extra"] == value


def test_an_override_may_have_a_quoted_key(tmp_path: Path) -> None:
    raw = written(tmp_path, CONFIG, 'venues.main.instruments."BTC/USDT".tick="0.01"')

    assert raw.data["venues"]["main"]["instruments"] == {"BTC/USDT": {"tick": "0.01"}}


@pytest.mark.parametrize("text", ["engine.tick", "=5", "a b=5", "a.=5", ""])
def test_an_override_that_is_none_is_a_finding(tmp_path: Path, text: str) -> None:
    (found,) = wrong(tmp_path, CONFIG, text)

    assert found.place == "--set"
    assert "write KEY=VALUE" in found.expected


def test_an_override_below_a_value_is_a_finding(tmp_path: Path) -> None:
    (found,) = wrong(tmp_path, CONFIG, "engine.instance.name=x")

    assert str(found) == "--set: engine.instance.name = x: engine.instance is no table of keys"


def test_every_unreadable_override_is_told_at_once(tmp_path: Path) -> None:
    found = wrong(tmp_path, "broken\n", "nothing", "engine")

    assert [finding.place.rpartition("/")[2] for finding in found] == [
        "plugins.toml:1",
        "--set",
        "--set",
    ]


@pytest.mark.parametrize(
    ("text", "place", "key", "expected"),
    [
        ("[a]\nx = 1\nx = 2\n", ":3", "line 3, column 6", "a second time"),
        ("[a]\n[a]\n", ":2", "line 2, column 3", "table stands here a second time"),
        ("a = bps 5\n", ":1", "line 1, column 5", "put text into quotes"),
        ('a = "x\nb = 1\n', ":1", "line 1, column 7", "a quote is missing"),
        ("a = 5 b = 6\n", ":1", "line 1, column 7", "the line should end here"),
        ("a 5\n", ":1", "line 1, column 3", "write key = value"),
        ("a = [1,", "plugins.toml", "end of the file", "ends too early"),
        (b"a = \xff", "plugins.toml", "byte 4", "no UTF-8"),
    ],
)
def test_wrong_syntax_is_told_with_line_and_column(
    tmp_path: Path, text: str | bytes, place: str, key: str, expected: str
) -> None:
    (found,) = wrong(tmp_path, text)

    assert found.place.endswith(place)
    assert found.key == key
    assert expected in found.expected


def test_a_missing_file_and_a_folder_are_findings(tmp_path: Path) -> None:
    for path, expected in ((tmp_path / "no.toml", "no such file"), (tmp_path, "a folder")):
        with pytest.raises(ConfigError, match=expected):
            load(path)


def test_an_unreadable_file_is_a_finding(tmp_path: Path) -> None:
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)

    with pytest.raises(ConfigError, match="cannot be read"):
        load(loop)


def test_without_a_file_only_overrides_count() -> None:
    raw = load(None, ["engine.instance=demo"])

    assert raw.data == {"engine": {"instance": "demo"}}
    assert raw.place(("engine", "tick")) == "configuration"


def test_a_table_that_is_none_is_read_as_empty() -> None:
    raw = RawConfig({"risk": 5, "engine": {"tick": "1 s"}})

    assert raw.table("risk") == {}
    assert raw.table("venues") == {}
    assert raw.table("engine") == {"tick": "1 s"}


@pytest.mark.parametrize(("text", "value"), [("true", True), ("FALSE ", False), ("maybe", "maybe")])
def test_one_variable_switches_batching_of_every_venue_of_the_file(
    tmp_path: Path, text: str, value: object
) -> None:
    two = f"{CONFIG}\n[venues.hedge]\nconnector = 'paper'\nbatching = true\n"

    raw = written(tmp_path, two, USING_BATCH_ORDER=text)

    assert [table["batching"] for table in raw.data["venues"].values()] == [value, value]
    place = raw.place(("venues", "hedge", "batching"))
    assert place == "environment variable USING_BATCH_ORDER"


def test_what_names_a_venue_wins_over_what_names_none(tmp_path: Path) -> None:
    raw = written(
        tmp_path, CONFIG, USING_BATCH_ORDER="true", FAIRLEAD_VENUES__MAIN__BATCHING="false"
    )

    assert raw.data["venues"]["main"]["batching"] is False
    assert "batching" not in written(tmp_path, "", USING_BATCH_ORDER="true").data
