import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli.main import main
from fairlead.errors import ExitCode
from fairlead.kernel import peak_note, read_halt
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
    assert "no engine of this configuration runs, so nothing is measured" in shown


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
