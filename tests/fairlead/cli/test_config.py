"""``fairlead config …`` and ``fairlead plugins``, called as the shell does."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import main
from fairlead.cli.config import configured
from fairlead.config import MarketsOf, RawConfig
from fairlead.errors import ConfigError, ExitCode

ROOT = Path(__file__).resolve().parents[3]
DEMO = (ROOT / "plugins.toml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of the test's own, without variables of this machine."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FAIRLEAD_") and "__" in name]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def demo(folder: Path) -> Path:
    (folder / "plugins.toml").write_text(DEMO, encoding="utf-8")
    return folder


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_check_passes_the_demo_and_writes_nothing(demo: Path, run: Run) -> None:
    code, out, err = run("config", "check")

    assert (code, err) == (ExitCode.CLEAN, "")
    assert out == "plugins.toml: ok, 1 venue, 1 strategy, 26 risk rules\n"
    assert files(demo) == ["plugins.toml"]


def test_check_tells_every_finding_on_its_own_line(demo: Path, run: Run) -> None:
    code, out, err = run(
        "config", "check", "plugins.toml", "--set", "engine.tick=5", "--set", "engine.curency=X"
    )

    assert (code, out) == (ExitCode.USAGE, "")
    assert sorted(line.partition(": ")[2].partition(" ")[0] for line in err.splitlines()) == [
        "engine.curency",
        "engine.tick",
    ]
    assert files(demo) == ["plugins.toml"]


@pytest.mark.usefixtures("demo")
def test_check_tells_a_plugin_that_is_not_there_beside_other_findings(run: Run) -> None:
    code, _, err = run(
        "config", "check", "--set", 'plugins.enable=["papr", "pmm"]', "--set", "engine.tick=5"
    )

    assert code == ExitCode.USAGE
    assert "--set: plugins.enable = \"papr\": plugin 'papr': is not installed; did you" in err
    assert "--set: engine.tick = 5: write a duration" in err
    assert len(err.splitlines()) == 2


@pytest.mark.usefixtures("demo")
def test_check_as_json_has_the_fields_of_each_finding(run: Run) -> None:
    code, out, err = run("config", "check", "--json", "--set", "engine.tick=5")

    tree = json.loads(out)
    assert code == ExitCode.USAGE
    assert tree["schema"] == 1
    assert tree["ok"] is False
    assert [(row["place"], row["key"], row["value"]) for row in tree["findings"]] == [
        ("--set", "engine.tick", "5")
    ]
    assert err.count("\n") == 1


@pytest.mark.usefixtures("demo")
def test_check_as_json_names_the_configuration_by_its_hash(run: Run) -> None:
    _, plain, _ = run("config", "check", "--json")
    _, moved, _ = run("config", "check", "--json", "--set", "engine.store=sqlite:///x.db")
    _, other, _ = run("config", "check", "--json", "--set", "venues.main.seed=8")

    assert json.loads(plain)["ok"] is True
    assert len(json.loads(plain)["config_hash"]) == 64
    assert json.loads(plain) == json.loads(moved)
    assert json.loads(plain) != json.loads(other)


@pytest.mark.usefixtures("folder")
def test_a_configuration_that_is_needed_and_missing_is_one_line(run: Run) -> None:
    for command in ("check", "show"):
        code, out, err = run("config", command)

        assert (code, out) == (ExitCode.USAGE, "")
        assert err == ("plugins.toml: there is none in this folder; name a configuration file\n")


@pytest.mark.usefixtures("folder")
def test_a_named_file_that_is_missing_is_one_line(run: Run) -> None:
    for command in (["config", "check"], ["config", "schema"], ["plugins"]):
        code, _, err = run(*command, "other.toml")

        assert code == ExitCode.USAGE
        assert err == "other.toml: file: there is no such file; name one that exists\n"


@pytest.mark.usefixtures("demo")
def test_show_gives_values_and_origins(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_ENGINE__TICK", "2 s")

    code, out, _ = run("config", "show", "--set", "engine.instance=other")

    rows = {line.partition(" = ")[0]: line for line in out.splitlines()}
    assert code == ExitCode.CLEAN
    assert rows["engine.tick"].endswith("# environment variable FAIRLEAD_ENGINE__TICK")
    assert rows["engine.instance"].endswith("# --set")
    assert rows["risk.max_open_orders.limit"].endswith("# default")
    assert rows["strategies.alt.spread"].startswith('strategies.alt.spread = "8 bps" ')
    assert "plugins.toml:" in rows["strategies.alt.spread"]


@pytest.mark.usefixtures("demo")
def test_show_as_json_has_the_same_rows(run: Run) -> None:
    _, out, _ = run("config", "show", "--json")
    _, plain, _ = run("config", "show")

    tree = json.loads(out)
    assert tree["schema"] == 1
    assert [f"{row['key']} = {row['value']}" for row in tree["values"]] == [
        line.rpartition("  # ")[0].rstrip() for line in plain.splitlines()
    ]


@pytest.mark.usefixtures("folder")
def test_schema_needs_no_configuration_and_covers_what_is_built_in(run: Run) -> None:
    code, out, _ = run("config", "schema")

    tree: dict[str, Any] = json.loads(out)
    assert code == ExitCode.CLEAN
    assert tree["properties"]["venues"]["additionalProperties"]["oneOf"][0]["title"] == "paper"
    assert "max_position" in tree["properties"]["risk"]["properties"]


@pytest.mark.usefixtures("folder")
def test_plugins_without_a_configuration_are_the_built_in_ones(run: Run) -> None:
    code, out, _ = run("plugins")

    names = [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]
    assert code == ExitCode.CLEAN
    assert {"paper", "pmm", "risk"} <= set(names)


@pytest.mark.usefixtures("folder")
def test_plugins_as_json_say_what_each_offers(run: Run) -> None:
    _, out, _ = run("plugins", "--json")

    rows = {row["plugin"]: row for row in json.loads(out)["plugins"]}
    assert rows["pmm"]["distribution"] == "fairlead"
    assert rows["pmm"]["version"]
    assert [offer["kind"] for offer in rows["pmm"]["offers"]] == ["controller"]


def test_only_what_the_configuration_enables_is_listed(folder: Path, run: Run) -> None:
    (folder / "plugins.toml").write_text('[plugins]\nenable = ["pmm"]\n', encoding="utf-8")

    _, out, _ = run("plugins")

    assert [line.split()[0] for line in out.splitlines()] == ["pmm", "controller"]


@pytest.mark.usefixtures("demo")
def test_markets_are_asked_of_whoever_is_given() -> None:
    def markets_of(raw: RawConfig, offers: object) -> MarketsOf:
        assert raw.file == "plugins.toml"
        return lambda venue, connector, options: ["BTC/USDT"]

    with pytest.raises(ConfigError, match="unknown market; the venue has: main:BTC/USDT"):
        configured(None, env={}, markets_of=markets_of)


@pytest.mark.parametrize(
    "command",
    [["config"], ["config", "check"], ["config", "show"], ["config", "schema"], ["plugins"]],
)
@pytest.mark.usefixtures("folder")
def test_every_help_contains_an_example(run: Run, command: list[str]) -> None:
    code, out, _ = run(*command, "--help")

    assert code == ExitCode.CLEAN
    assert f"Example: fairlead {' '.join(command)}" in " ".join(out.split())


GREETER = """
from fairlead import hookimpl

@hookimpl
def fairlead_commands(cli):
    @cli.command("greet", help="Say hello.")
    def greet():
        import click
        click.echo("hello")
"""


@pytest.fixture
def greeter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin that adds a command, enabled in the working folder."""
    monkeypatch.syspath_prepend(folder)
    info = folder / "greeter-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeter\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[fairlead]\ngreeter = greeter_plugin\n")
    (folder / "greeter_plugin.py").write_text(GREETER)
    (folder / "plugins.toml").write_text('[plugins]\nenable = ["greeter"]\n')
    monkeypatch.delitem(sys.modules, "greeter_plugin", raising=False)
    return folder


@pytest.mark.usefixtures("greeter")
def test_a_plugin_may_add_a_command(run: Run) -> None:
    assert run("greet") == (ExitCode.CLEAN, "hello\n", "")
    assert "Say hello." in run("--help")[1]


def test_a_broken_plugin_does_not_keep_the_help_from_being_shown(greeter: Path, run: Run) -> None:
    (greeter / "greeter_plugin.py").write_text("1 / 0")

    code, out, err = run("--help")

    assert code == ExitCode.CLEAN
    assert "config" in out
    assert err.startswith("plugin 'greeter' (greeter 1): cannot be imported: ZeroDivisionError")
    assert run("greet")[0] == ExitCode.USAGE
