import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli.engine import EnginePlace
from fairlead.cli.main import main
from fairlead.errors import ControlError, ExitCode
from fairlead.kernel import Command, Reduce, peak_note, read_halt, residuals_note
from fairlead.kernel.process import SystemProcess
from tests.conftest import ROOT


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    text = (ROOT / "plugins.toml").read_text(encoding="utf-8")
    (tmp_path / "plugins.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["risk", "list", "--json", *arguments]) == ExitCode.CLEAN
    tree: dict[str, Any] = json.loads(capsys.readouterr().out)
    return tree


def test_every_rule_is_listed_in_order_with_values_and_who_set_them(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del here
    tree = listed(capsys, "--set", "risk.max_order=400 USDT")

    assert (tree["schema"], tree["running"]) == (1, False)
    names = [rule["rule"] for rule in tree["rules"]]
    assert names[:4] == ["max_position", "max_order", "daily_loss", "max_drawdown"]
    rules = {rule["rule"]: rule for rule in tree["rules"]}
    assert rules["max_order"]["values"] == [
        {"key": "limit", "value": "400 USDT", "origin": "--set"}
    ]
    assert rules["stale_book"]["values"] == [{"key": "limit", "value": "3 s", "origin": "default"}]
    origins = {one["key"]: one["origin"] for one in rules["max_drawdown"]["values"]}
    assert origins["limit"].startswith("plugins.toml:")
    assert origins["measure"] == "default"
    assert all(rule["gauges"] == [] for rule in tree["rules"])


def test_the_list_is_for_people_too(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del here
    assert main(["risk", "list"]) == ExitCode.CLEAN

    shown = capsys.readouterr().out
    assert " 1  max_position: how far from its target" in shown
    assert "demo does not run, so nothing is measured" in shown


def test_the_engine_and_its_configuration_are_named_as_everywhere_else(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places: list[EnginePlace] = []

    def answers(place: EnginePlace, command: Command) -> dict[str, Any]:
        del command
        places.append(place)
        return {"rules": []}

    monkeypatch.setattr("fairlead.cli.risk.ask", answers)
    (here / "plugins.toml").rename(here / "mine.toml")
    elsewhere = here / "elsewhere"

    mine = listed(capsys, "--config", "mine.toml")
    listed(capsys, "--config", "mine.toml", "--instance", "two", "--store", f"{elsewhere}/store.db")

    origins = {one["key"]: one["origin"] for one in mine["rules"][3]["values"]}
    assert origins["limit"].startswith("mine.toml:")
    assert [(one.instance, one.folder.resolve()) for one in places] == [
        ("demo", here),
        ("two", elsewhere),
    ]
    assert main(["risk", "list", "mine.toml"]) == ExitCode.USAGE


def test_a_peak_is_reset_by_the_next_start_where_nothing_runs(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["risk", "reset-peak"]) == ExitCode.CLEAN

    process = SystemProcess(here)
    assert "its next start resets the peak" in capsys.readouterr().out
    assert process.read_marker(peak_note("demo")) is not None
    assert read_halt(process, "demo") is None

    assert main(["run", "--for", "2 s", "--speed", "max", "--json"]) == ExitCode.CLEAN
    assert process.read_marker(peak_note("demo")) is None


def test_reduce_only_needs_an_engine(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del here
    assert main(["reduce-only", "on"]) == ExitCode.UNAVAILABLE
    assert "no engine runs" in capsys.readouterr().err


def test_what_plans_left_restrained_is_lifted_at_the_next_start_where_no_engine_runs(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reduce-only", "off"]) == ExitCode.CLEAN

    assert "its next start lifts what plans left restrained" in capsys.readouterr().out
    assert SystemProcess(here).read_marker(residuals_note("demo")) is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--live"], "not available in this version"),
        (["--live", "--set", "risk.max_order=900 USDT"], "say --accept-risk if this is meant"),
    ],
    ids=["no venue for it yet", "loosened"],
)
def test_live_is_refused_before_anything_starts(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["run", *arguments]) == ExitCode.USAGE

    assert said in capsys.readouterr().err
    assert not (here / "fairlead.db").exists()


RUNNING = {
    "rules": [
        {
            "rule": "one_sided_fills",
            "gauges": [
                {"name": "BUY", "now": "4", "limit": "5", "used": 0.8, "market": "main:ALT/USDT"},
                {"name": "", "now": "unavailable", "limit": "1 s", "used": None, "market": ""},
            ],
            "effects": [{"market": "main:ALT/USDT", "effect": "BUY paused"}],
            "fired": 2,
            "active_ns": 61_000_000_000,
            "first_ns": 1,
            "last_ns": 2,
            "in_force": True,
            "denied": 3,
        },
        {
            "rule": "by_hand",
            "gauges": [],
            "effects": [{"market": "", "effect": "REDUCING"}],
            "fired": 1,
            "active_ns": 0,
            "first_ns": 1,
            "last_ns": 1,
            "in_force": True,
            "denied": 0,
        },
    ]
}


def answering(answer: dict[str, Any]) -> Callable[[EnginePlace, Command], dict[str, Any]]:
    return lambda place, command: answer


def test_a_running_engine_says_how_far_each_rule_is(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del here
    monkeypatch.setattr("fairlead.cli.risk.ask", answering(RUNNING))

    tree = listed(capsys)
    assert main(["risk", "list"]) == ExitCode.CLEAN

    shown = capsys.readouterr().out
    assert tree["running"]
    assert (
        "one_sided_fills: fills on one side that switch it off · BUY paused on main:ALT/USDT "
        "· fired 2 times, 01:01 in all · denied 3"
    ) in shown
    assert "BUY main:ALT/USDT: 4 of 5 (80 % used)" in shown
    assert "now: unavailable of 1 s" in shown
    assert "by_hand: imposed by the engine · REDUCING" in shown
    assert "nothing is measured" not in shown


@pytest.mark.parametrize(("peak", "said"), [("10000", "10000"), (None, "unavailable")])
def test_a_running_engine_resets_its_peak_at_once(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    peak: str | None,
    said: str,
) -> None:
    monkeypatch.setattr("fairlead.cli.risk.ask", answering({"peak": peak}))

    assert main(["risk", "reset-peak"]) == ExitCode.CLEAN
    assert main(["risk", "reset-peak", "--json"]) == ExitCode.CLEAN

    line, _, rest = capsys.readouterr().out.partition("\n")
    assert line == f"the peak is {said} now"
    assert json.loads(rest) == {"schema": 1, "at": "now", "peak": peak}
    assert SystemProcess(here).read_marker(peak_note("demo")) is None


def test_an_engine_that_refuses_keeps_its_peak(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(place: EnginePlace, command: Command) -> dict[str, Any]:
        raise ControlError(place.instance, "no", ExitCode.USAGE)

    monkeypatch.setattr("fairlead.cli.risk.ask", refuses)

    assert main(["risk", "reset-peak"]) == ExitCode.USAGE
    assert SystemProcess(here).read_marker(peak_note("demo")) is None


@pytest.mark.parametrize("state", ["on", "off"])
def test_reduce_only_is_said_to_a_running_engine(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str,
) -> None:
    del here
    asked: list[Command] = []

    def ask(place: EnginePlace, command: Command) -> dict[str, Any]:
        asked.append(command)
        return {"reduce_only": place is None}

    monkeypatch.setattr("fairlead.cli.act.ask", ask)

    assert main(["reduce-only", state]) == ExitCode.CLEAN

    assert asked == [Reduce(state == "on")]
    expected = "orders may only reduce now" if state == "on" else "orders may grow positions again"
    assert expected in capsys.readouterr().out
