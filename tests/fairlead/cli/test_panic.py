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
