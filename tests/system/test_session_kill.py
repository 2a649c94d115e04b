"""``kill -9`` at any moment of a session, then the next one starts clean; and equal traces."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from fairlead.store import open_reader
from tests.conftest import ROOT
from tests.system.command import environment
from tests.system.session_child import session

pytestmark = pytest.mark.system

LIMIT_S = 40.0
#: Seconds after the begin at which the process dies.
MOMENTS = (0.0, 0.05, 0.15, 0.4)


def child(folder: Path, seconds: int, env: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.system.session_child", str(folder), str(seconds)],
        cwd=ROOT,
        env=environment(env, measured=False),
        stdout=subprocess.PIPE,
        text=True,
    )


def test_whenever_a_session_is_killed_the_next_one_starts_clean(tmp_path: Path) -> None:
    for moment in MOMENTS:
        process = child(tmp_path, 100_000, {})
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(moment)
        process.kill()
        process.communicate(timeout=LIMIT_S)
        assert process.returncode == -9

    last = session(tmp_path, seconds=20)
    outcome = last.run()

    assert outcome.result.exit_code == 0
    assert outcome.result.proven
    assert last.tally.incidents["killed_before"] == 1
    reader = open_reader(f"sqlite:///{tmp_path}/fairlead.db")
    runs = sorted(reader.runs(), key=lambda run: run.epoch)
    reader.close()
    assert [run.epoch for run in runs] == [1, 2, 3, 4, 5]
    with sqlite3.connect(tmp_path / "fairlead.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        orphans = connection.execute(
            "SELECT count(*) FROM fills WHERE client_id NOT IN (SELECT client_id FROM orders)"
        ).fetchall()
        assert orphans == [(0,)]
    connection.close()


def test_one_seed_gives_one_trace_whatever_the_hashes(tmp_path: Path) -> None:
    traces = []
    for number, seed in enumerate(("0", "4242")):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = child(folder, 60, {"PYTHONHASHSEED": seed})
        out, _ = process.communicate(timeout=LIMIT_S)
        traces.append(out)

    assert traces[0] == traces[1]
    assert traces[0].split()[2] == "0"
