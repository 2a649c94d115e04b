"""``fairlead run`` as a process: signals, terminals, full disks and ``kill -9``.

Bound: each process ends within 30 s, most within two.
"""

import gzip
import hashlib
import json
import os
import re
import select
import signal
import sqlite3
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fairlead.store import open_reader, read_trace
from tests.conftest import ROOT
from tests.system.command import FAIRLEAD, LIMIT_S, begin, call, environment

pytestmark = pytest.mark.system

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
FILES = ["events.jsonl.gz", "report.html", "report.json"]


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the command; whatever a failing test leaves running is killed."""
    started: list[subprocess.Popen[str]] = []

    def call(
        *arguments: str, cwd: Path, terminal: int | None = None, measured: bool = True
    ) -> "subprocess.Popen[str]":
        started.append(begin(*arguments, cwd=cwd, terminal=terminal, measured=measured))
        return started[-1]

    yield call
    for process in started:
        process.kill()
        process.wait(LIMIT_S)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the shipped configuration."""
    (tmp_path / "plugins.toml").write_bytes((ROOT / "plugins.toml").read_bytes())
    return tmp_path


def left(run: Path) -> list[str]:
    return sorted(path.name for path in run.iterdir())


def report(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "report.json").read_text())
    return found


def trace_hash(run: Path) -> str:
    return hashlib.sha256(gzip.decompress((run / "events.jsonl.gz").read_bytes())).hexdigest()


def under_way(process: "subprocess.Popen[str]") -> str:
    """Wait for the first line about progress."""
    assert process.stderr is not None
    return process.stderr.readline()


# --- signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: str(n.name))
def test_a_signal_stops_clean_with_proof_and_leaves_everything(
    folder: Path, start: Start, number: signal.Signals
) -> None:
    process = start("run", "--speed", "400", cwd=folder)
    assert under_way(process).startswith("03:00 of 30:00")

    process.send_signal(number)
    out, errors = process.communicate(timeout=LIMIT_S)

    assert process.returncode == 0, errors
    assert "stopped clean, 0 orders left (proven twice)" in out
    assert "Traceback" not in errors
    run = folder / "runs/demo-1"
    assert left(run) == FILES
    assert report(run)["summary"]["reason"] == "asked to stop"
    *_, last = read_trace(run / "events.jsonl.gz")
    assert (last["kind"], last["proven"]) == ("run_ended", True)
    before = report(run)["ended_ns"] - report(run)["started_ns"]
    assert before < 29 * 60e9


def test_more_ctrl_c_during_the_clean_stop_lose_nothing_of_the_run(
    folder: Path, start: Start
) -> None:
    process = start("run", "--speed", "50", "--for", "3 min", cwd=folder)
    under_way(process)

    for _ in range(6):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
    out, errors = process.communicate(timeout=LIMIT_S)

    # Whoever is in such a hurry may get no proof any more, but is told so.
    assert process.returncode == (0 if "(proven twice)" in out else 4), errors
    assert "Traceback" not in errors
    assert left(folder / "runs/demo-1") == FILES


# --- the same seed


def test_the_same_seed_gives_the_same_run_whatever_the_hashes(folder: Path) -> None:
    printed, hashes = set(), set()
    for number, seed in enumerate(["0", "1", "1"]):
        place = folder / str(number)
        place.mkdir()
        (place / "plugins.toml").write_bytes((folder / "plugins.toml").read_bytes())

        done = call(
            *("run", "--for", "3 min", "--json"),
            cwd=place,
            env={"PYTHONHASHSEED": seed},
            measured=False,
        )

        assert done.returncode == 0, done.stderr
        printed.add(done.stdout)
        hashes.add(trace_hash(place / "runs/demo-1"))
    assert (len(printed), len(hashes)) == (1, 1)


# --- terminals


class Terminal:
    """What a person sees and types."""

    def __init__(self, columns: int) -> None:
        self._ours, self.theirs = os.openpty()
        termios.tcsetwinsize(self.theirs, (40, columns))
        self.before = termios.tcgetattr(self.theirs)
        self.text = ""

    def read_until(self, *wanted: str) -> None:
        """Read what is drawn until one of these is on the screen."""
        while not any(text in self.shown for text in wanted):
            assert select.select([self._ours], [], [], LIMIT_S)[0], self.shown[-2000:]
            self._read()

    def read_to_the_end(self, process: "subprocess.Popen[str]") -> None:
        """Read until the process has ended and everything is read."""
        while process.poll() is None or select.select([self._ours], [], [], 0)[0]:
            if select.select([self._ours], [], [], 0.05)[0]:
                self._read()

    @property
    def shown(self) -> str:
        """Give everything that was ever on the screen."""
        return _CONTROL.sub("", self.text).replace("\r", "")

    def _read(self) -> None:
        self.text += os.read(self._ours, 65536).decode(errors="replace")

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())

    def close(self) -> None:
        """Turn it off."""
        os.close(self._ours)
        os.close(self.theirs)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("columns", [80, 140])
def test_the_live_view_answers_keys_and_leaves_the_summary(
    folder: Path, start: Start, columns: int
) -> None:
    terminal = Terminal(columns)
    process = start("run", "--speed", "200", cwd=folder, terminal=terminal.theirs)

    terminal.read_until("stop clean")
    terminal.press("e")
    terminal.read_until("no fill to explain yet", "fairlead explain ")
    terminal.press("q")
    terminal.read_to_the_end(process)

    assert process.returncode == 0
    assert termios.tcgetattr(terminal.theirs) == terminal.before
    assert "demo · PAPER · main:ALT/USDT" in terminal.shown
    # The cursor comes back where the view is taken away; below it stands the summary.
    summary = _CONTROL.sub("", terminal.text.split("\x1b[?25h")[1]).replace("\r", "")
    assert "stopped clean, 0 orders left (proven twice)" in summary
    assert "open runs/demo-1/report.html" in summary
    assert "PAPER" not in summary
    assert max(len(line) for line in summary.splitlines()[2:]) <= columns
    assert left(folder / "runs/demo-1") == FILES
    terminal.close()


@pytest.mark.timeout(20)
def test_at_full_speed_a_terminal_sees_the_view_and_the_same_run(
    folder: Path, start: Start
) -> None:
    terminal = Terminal(100)
    arguments = ("run", "--for", "3 min", "--speed", "max")
    process = start(*arguments, cwd=folder, terminal=terminal.theirs, measured=False)
    terminal.read_to_the_end(process)
    assert process.returncode == 0
    assert "×max" in terminal.shown
    assert "stopped clean" in terminal.shown
    terminal.close()

    call(*arguments, cwd=folder, measured=False)

    assert trace_hash(folder / "runs/demo-1") == trace_hash(folder / "runs/demo-2")


@pytest.mark.timeout(20)
def test_on_a_terminal_the_demo_is_paced_to_half_a_minute(folder: Path, start: Start) -> None:
    terminal = Terminal(100)
    process = start("run", cwd=folder, terminal=terminal.theirs)

    terminal.read_until("of 30:00  ×60")
    process.send_signal(signal.SIGINT)
    terminal.read_to_the_end(process)

    assert process.returncode == 0
    assert termios.tcgetattr(terminal.theirs) == terminal.before
    terminal.close()


# --- disks


def test_a_disk_that_is_full_at_once_is_one_line(folder: Path) -> None:
    done = call("run", "--for", "2 min", cwd=folder, largest_file=20_000)

    assert done.returncode == 5
    assert done.stderr.startswith("store sqlite:///fairlead.db: the disk ")
    assert (done.stderr.count("\n"), done.stdout) == (1, "")


def test_a_disk_that_fills_up_stops_the_run_with_proof_and_a_note(folder: Path) -> None:
    done = call("run", cwd=folder, largest_file=300_000)

    assert done.returncode == 5
    assert "stopped early: store sqlite:///fairlead.db: the disk " in done.stderr
    assert "Traceback" not in done.stderr
    assert "the store failed, 0 orders left (proven twice)" in done.stdout
    assert "the disk " in (folder / "demo.HALTED").read_text()
    run = folder / "runs/demo-1"
    assert report(run)["summary"]["reason"] == "the store failed"
    *_, last = read_trace(run / "events.jsonl.gz")
    assert last["kind"] == "run_ended"


def test_a_page_that_does_not_fit_costs_neither_summary_nor_report(folder: Path) -> None:
    done = call("run", "--for", "60 s", cwd=folder, largest_file=1_000_000)

    assert done.returncode == 5
    assert "stopped clean, 0 orders left (proven twice)" in done.stdout
    assert done.stderr.splitlines()[-1].startswith(
        "store runs/demo-1/report.html: cannot be written ("
    )
    assert left(folder / "runs/demo-1") == ["events.jsonl.gz", "report.json"]


@pytest.mark.parametrize("words", [("config", "show"), ("run", "--for", "5 s")])
def test_output_that_does_not_fit_is_one_line_and_costs_no_files(
    folder: Path, words: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [FAIRLEAD, *words],
            cwd=folder,
            env=environment({}, measured=False),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
            timeout=LIMIT_S,
        )

    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last == "standard output: cannot be written (No space left on device)"
    assert "Traceback" not in done.stderr
    if words[0] == "run":
        assert left(folder / "runs/demo-1") == FILES


def test_whoever_reads_only_the_begin_costs_nobody_the_page(folder: Path, start: Start) -> None:
    process = start("run", "--for", "60 s", "--json", cwd=folder)
    assert process.stdout is not None
    process.stdout.close()
    process.communicate(timeout=LIMIT_S)

    assert process.returncode in {0, 1}  # click's answer to a reader who has gone
    assert left(folder / "runs/demo-1") == FILES


# --- kill -9


def kill_run(start: Start, folder: Path, moment: int) -> None:
    """Start a run and kill it ``moment`` looks after it has its folder; 0 = while it starts."""
    runs = folder / "runs"
    before = len(list(runs.iterdir())) if runs.is_dir() else 0
    process = start("run", "--speed", "300", cwd=folder, measured=False)
    looks = 0
    while looks < max(moment, 1):
        try:
            process.wait(timeout=0.05 if looks or moment else 0.25)
        except subprocess.TimeoutExpired:
            looks += not moment or (runs.is_dir() and len(list(runs.iterdir())) > before)
        assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.timeout(60)
def test_a_killed_run_is_an_incident_of_the_next_which_starts_cleanly(
    folder: Path, start: Start
) -> None:
    for moment in (0, 1, 2, 4, 8, 12, 16, 24, 32):
        kill_run(start, folder, moment)

    done = call("run", "--for", "90 s", "--json", cwd=folder, measured=False)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    reader = open_reader(f"sqlite:///{folder}/fairlead.db")
    runs = reader.runs("demo")
    assert [run.epoch for run in runs] == list(range(1, len(runs) + 1))
    assert len(runs) >= 9
    assert found["run"] == f"demo-{len(runs)}"
    assert found["summary"]["incidents"] == {"killed_before": 1}
    assert [run.ended_ns is None for run in runs] == [True] * (len(runs) - 1) + [False]
    assert len({run.tag for run in runs}) == 1
    lengths = []
    for run in runs:
        seqs = [record.seq for record in reader.records(run.run_id)]
        assert seqs == list(range(1, len(seqs) + 1))
        incidents = [incident["name"] for incident in reader.incidents(run.run_id)]
        assert incidents in (["killed_before"] if run.epoch > 1 else [], [])
        events = list(read_trace(folder / f"runs/demo-{run.epoch}/events.jsonl.gz"))
        assert [event["n"] for event in events] == list(range(1, len(events) + 1))
        lengths.append(len(events))
    reader.close()
    assert max(lengths[:-1]) > 500  # some died in the middle of their work
    connection = sqlite3.connect(folder / "fairlead.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
