"""What ``fairlead quote`` shows, and that it leaves no trace."""

import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli.main import main
from fairlead.errors import ExitCode
from tests.conftest import ROOT
from tests.fairlead.cli.recorded import configured, lines

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the shipped configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins.toml").write_bytes((ROOT / "plugins.toml").read_bytes())
    return tmp_path


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ladders(capsys: Captured) -> list[dict[str, Any]]:
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    ladders: list[dict[str, Any]] = found["ladders"]
    return ladders


def test_the_first_ladder_that_would_be_placed_is_shown_with_its_reasons(
    folder: Path, capsys: Captured
) -> None:
    code = main(["quote"])

    done = capsys.readouterr()
    assert code == ExitCode.CLEAN
    assert done.out.startswith("alt on main:ALT/USDT at 01:0")  # warmed up
    assert [line.split("  ")[1] for line in done.out.splitlines() if " level " in line] == [
        *(f"SELL level {level}" for level in (2, 1, 0)),
        *(f"BUY level {level}" for level in (0, 1, 2)),
    ]
    assert "would be denied" not in done.out
    assert done.out.count("price skew") == 6
    assert done.out.count("order size") == 6
    assert done.err == ""
    assert left(folder) == ["plugins.toml"]


def test_the_ladder_at_a_time_is_on_the_book_of_that_time(folder: Path, capsys: Captured) -> None:
    assert main(["quote", "--at", "90 s", "--json"]) == ExitCode.CLEAN
    (one,) = ladders(capsys)
    assert main(["quote", "--at", "5 min", "--json"]) == ExitCode.CLEAN
    (other,) = ladders(capsys)

    assert (one["at_ns"], other["at_ns"]) == (90_000_000_000, 300_000_000_000)
    assert (one["best_bid"], one["best_ask"]) != (other["best_bid"], other["best_ask"])
    for ladder in (one, other):
        assert ladder["gates"] == []
        bids = [float(q["price"]) for q in ladder["quotes"] if q["side"] == "BUY"]
        asks = [float(q["price"]) for q in ladder["quotes"] if q["side"] == "SELL"]
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < float(ladder["best_ask"])
        assert asks[0] > float(ladder["best_bid"])
        assert all(q["denied"] is None and q["reasons"] for q in ladder["quotes"])
    assert left(folder) == ["plugins.toml"]


@pytest.mark.unmeasured
def test_the_same_question_gets_the_same_answer(capsys: Captured) -> None:
    main(["quote", "--at", "2 min", "--json"])
    first = ladders(capsys)

    main(["quote", "--at", "2 min", "--json"])

    assert ladders(capsys) == first


@pytest.mark.parametrize("at", ["1 ms", "500 ms"])
def test_before_the_first_tick_the_ladder_of_the_first_tick_is_shown(
    capsys: Captured, at: str
) -> None:
    code = main(["quote", "--at", at, "--json"])

    (ladder,) = ladders(capsys)
    assert 0 < ladder["at_ns"] < 3_000_000_000
    # A risk rule has its word on what the strategy wishes.
    assert {quote["denied"]["rule"] for quote in ladder["quotes"]} == {"warm_up"}
    assert code == ExitCode.CHECK_FAILED


def test_what_a_rule_would_deny_is_shown_with_the_rule(capsys: Captured) -> None:
    code = main(["quote", "--at", "2 min", "--set", "strategies.alt.order_size=600 USDT"])

    assert code == ExitCode.CHECK_FAILED
    assert capsys.readouterr().out.count("would be denied by max_order") == 6


def test_where_there_is_no_ladder_the_gates_are_shown(capsys: Captured) -> None:
    arguments = ["quote", "--at", "2 min", "--set", "strategies.alt.order_size=2 USDT"]

    code = main(arguments)

    shown = capsys.readouterr().out.splitlines()
    assert code == ExitCode.CHECK_FAILED
    assert len(shown) > 1
    assert [line for line in shown[1:] if line and not line.startswith("  not quoted: ")] == []


@pytest.mark.unmeasured
def test_without_a_ladder_the_search_ends_and_shows_the_last_gates(capsys: Captured) -> None:
    code = main(["quote", "--json", "--set", "strategies.alt.order_size=2 USDT"])

    (ladder,) = ladders(capsys)
    assert code == ExitCode.CHECK_FAILED
    assert ladder["at_ns"] >= 600_000_000_000
    assert ladder["gates"]


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("5", "--at '5': write a duration with its unit"),
        ("-5 s", "--at '-5 s': a duration is"),
        ("noon", "--at 'noon': write a duration"),
    ],
)
def test_a_time_that_is_none_is_one_line(
    folder: Path, capsys: Captured, at: str, said: str
) -> None:
    code = main(["quote", "--at", at])

    done = capsys.readouterr()
    assert code == ExitCode.USAGE
    assert done.err.startswith(said)
    assert (done.err.count("\n"), done.out) == (1, "")
    assert left(folder) == ["plugins.toml"]


def test_a_time_behind_the_end_of_the_source_is_one_line(folder: Path, capsys: Captured) -> None:
    (folder / "a.jsonl").write_text("\n".join(lines(20)))
    before = left(folder)

    code = main(["quote", configured(folder, "a.jsonl"), "--at", "10 h"])

    done = capsys.readouterr()
    assert code == ExitCode.USAGE
    assert done.err.startswith("--at '10 h': the source ended after 00:2")
    assert (done.err.count("\n"), done.out) == (1, "")
    assert left(folder) == sorted([*before, "rec.toml"])


def test_a_wrong_configuration_is_exit_2(capsys: Captured) -> None:
    assert main(["quote", "--set", "strategies.alt.spread=-1 bps"]) == ExitCode.USAGE
    assert "must be above zero" in capsys.readouterr().err


def test_a_recording_is_a_source_like_any_other(folder: Path, capsys: Captured) -> None:
    (folder / "a.jsonl").write_text("\n".join(lines(90)))
    before = left(folder)

    code = main(["quote", configured(folder, "a.jsonl"), "--json"])

    (ladder,) = ladders(capsys)
    assert code == ExitCode.CLEAN
    assert (ladder["best_bid"], ladder["best_ask"]) == ("99.99", "100.01")
    assert [(quote["side"], quote["price"]) for quote in ladder["quotes"]] == [
        ("BUY", "99.98"),
        ("SELL", "100.02"),
    ]
    assert left(folder) == sorted([*before, "rec.toml"])


def test_a_recording_that_is_too_short_shows_how_far_it_came(
    folder: Path, capsys: Captured
) -> None:
    (folder / "a.jsonl").write_text("\n".join(lines(20)))

    code = main(["quote", configured(folder, "a.jsonl"), "--json"])

    (ladder,) = ladders(capsys)
    assert code == ExitCode.CHECK_FAILED
    assert 18e9 < ladder["at_ns"] < 22e9
    assert {quote["denied"]["rule"] for quote in ladder["quotes"]} == {"warm_up"}


@pytest.mark.parametrize(("broken_after", "code"), [(5, 1), (120, 0)], ids=["before", "behind"])
def test_a_broken_recording_matters_only_before_the_ladder(
    folder: Path, capsys: Captured, broken_after: int, code: int
) -> None:
    (folder / "a.jsonl").write_text("\n".join([*lines(broken_after), "{"]))

    found = main(["quote", configured(folder, "a.jsonl"), "--at", "61 s"])

    errors = capsys.readouterr().err
    assert found == code
    assert errors.startswith("a.jsonl, line ") is (code == 1)
    assert errors.count("\n") == code
