"""What ``fairlead panic`` and ``watchdog`` say where they can do nothing.

What they do is in tests/system/test_rehearsal.py, with real processes.
"""

from pathlib import Path

import pytest

from fairlead.cli.main import main
from fairlead.errors import ExitCode
from fairlead.kernel import instance_tag
from fairlead.store import Durability, open_store
from fairlead.testing import VirtualProcess
from tests.conftest import ROOT
from tests.fairlead.kernel.outside_world import SCENARIO
from tests.system.rehearsal import CONFIG, PLUGIN

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(PLUGIN))
    text = CONFIG.format(address="http://127.0.0.1:9", dead_man="5 s")
    (tmp_path / "plugins.toml").write_text(text)
    return tmp_path


def test_play_money_has_nothing_outside(folder: Path, capsys: Captured) -> None:
    (folder / "plugins.toml").write_bytes((ROOT / "plugins.toml").read_bytes())

    assert main(["panic"]) == ExitCode.CLEAN

    assert capsys.readouterr().out.startswith("mode paper: nothing is outside")
    assert not (folder / "demo.HALTED").exists()


def test_nobody_watches_play_money(folder: Path, capsys: Captured) -> None:
    (folder / "plugins.toml").write_bytes((ROOT / "plugins.toml").read_bytes())

    assert main(["watchdog"]) == ExitCode.USAGE

    assert "play money never leaves its process" in capsys.readouterr().err


def test_the_halt_comes_before_anything_that_can_go_wrong(folder: Path, capsys: Captured) -> None:
    assert main(["panic"]) == ExitCode.USAGE

    captured = capsys.readouterr()
    assert (folder / "demo.HALTED").is_file()
    assert captured.out == "demo is halted; no engine of it runs\n"
    assert captured.err == "instance 'demo': has never run with fairlead.db\n"


WRONG = ("strategies.alt.spread=-1 bps", "strategies.alt.market=main:NIX/USDT", "risk.nix=1")


def test_mistakes_that_concern_no_venue_are_told_and_passed_over(
    folder: Path, capsys: Captured
) -> None:
    code = main(["panic", *(word for one in WRONG for word in ("--set", one))])

    captured = capsys.readouterr()
    assert (folder / "demo.HALTED").is_file()
    assert code == ExitCode.USAGE  # as it has never run
    told = captured.err.splitlines()
    assert [line.partition(": must")[0].partition("; known")[0] for line in told[:-1]] == [
        'passed over: --set: strategies.alt.spread = "-1 bps"',
        "passed over: --set: risk.nix: unknown rule",
    ]
    assert told[-1] == "instance 'demo': has never run with fairlead.db"


@pytest.mark.parametrize(
    "wrong",
    [
        "venues.main.address=7",
        "venues.main.connector=nix",
        "venues.other=1",
        "engine.dead_man=1 h",
        "plugins.enable=[]",
    ],
)
def test_a_venue_that_cannot_be_reached_is_no_panic_at_all(
    folder: Path, capsys: Captured, wrong: str
) -> None:
    assert main(["panic", "--set", wrong]) == ExitCode.USAGE

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err != ""
    assert "Traceback" not in captured.err
    assert not (folder / "demo.HALTED").exists()


def test_the_tag_is_found_in_the_store(folder: Path) -> None:
    store = open_store(f"sqlite:///{folder}/fairlead.db", durability=Durability.NORMAL, inline=True)
    settings = SCENARIO.settings.model_copy(update={"folder": folder})
    instance = settings.engine.instance
    for name, tag in ((instance, 5), ("other", 6)):
        store.begin_run(
            name,
            mode="rehearse",
            seed=None,
            config_hash="x",
            config_text="x",
            now_ns=1,
            new_tag=iter((tag,)).__next__,
        )
        store.close()
        store = open_store(
            f"sqlite:///{folder}/fairlead.db", durability=Durability.NORMAL, inline=True
        )
    store.close()

    assert instance_tag(settings, VirtualProcess()) == 5
