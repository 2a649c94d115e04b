"""What ``fairlead run`` leaves behind and answers, whatever ends it."""

import gzip
import hashlib
import json
import resource
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli.main import main
from fairlead.cli.watch import ProgressWatch
from fairlead.errors import ExitCode
from fairlead.kernel import Session
from fairlead.store import open_reader, read_trace
from tests.conftest import ROOT
from tests.fairlead.cli.recorded import configured, lines

Captured = pytest.CaptureFixture[str]
SHORT = ("--for", "80 s")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the shipped configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins.toml").write_bytes((ROOT / "plugins.toml").read_bytes())
    return tmp_path


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def test_a_run_leaves_report_page_and_a_whole_trace(folder: Path, capsys: Captured) -> None:
    code = main(["run", *SHORT])

    done = capsys.readouterr()
    assert code == ExitCode.CLEAN
    assert left(folder / "runs" / "demo-1") == ["events.jsonl.gz", "report.html", "report.json"]
    assert "stopped clean, 0 orders left (proven twice)" in done.out
    assert "open runs/demo-1/report.html" in done.out
    assert "01:20 of 01:20" in done.err
    events = list(read_trace(folder / "runs/demo-1/events.jsonl.gz"))
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["kind"], events[-1]["kind"]) == ("run_started", "run_ended")
    assert events[-1]["proven"] is True
    assert events[-1]["reason"] == "the time asked for is over"


def test_json_prints_the_report_that_it_leaves_and_nothing_else(
    folder: Path, capsys: Captured
) -> None:
    code = main(["run", "--json", *SHORT])

    done = capsys.readouterr()
    assert code == ExitCode.CLEAN
    assert json.loads(done.out) == report(folder / "runs/demo-1")
    assert done.out.count("\n") == 1
    assert "fills" in done.err  # how far it is


def test_a_source_that_ends_ends_the_run(folder: Path, capsys: Captured) -> None:
    (folder / "a.jsonl").write_text("\n".join(lines(90)))

    code = main(["run", configured(folder, "a.jsonl"), "--json"])

    found = json.loads(capsys.readouterr().out)
    assert code == ExitCode.CLEAN
    assert found["summary"]["reason"] == "the source ended"
    assert found["strategies"]["btc"]["fills"] > 0


def test_the_next_run_has_the_next_epoch_and_equal_lines(folder: Path) -> None:
    for _ in range(2):
        assert main(["run", *SHORT]) == ExitCode.CLEAN

    assert left(folder / "runs") == ["demo-1", "demo-2"]
    hashes = [
        hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
        for path in (folder / "runs").glob("*/events.jsonl.gz")
    ]
    assert len(set(hashes)) == 1


def test_a_halt_is_exit_5_with_the_rule_and_its_figures(folder: Path, capsys: Captured) -> None:
    code = main(["run", "--set", "risk.max_drawdown=0.01%"])

    errors = capsys.readouterr().err.splitlines()
    assert code == ExitCode.HALTED
    assert errors[-1].startswith("halted: max_drawdown: 0.01 % below the peak of 10")
    assert report(folder / "runs/demo-1")["summary"]["reason"] == "halted"
    assert (folder / "runs/demo-1/report.html").is_file()


def test_a_garbled_line_ends_the_run_with_its_place_and_what_came_before(
    folder: Path, capsys: Captured
) -> None:
    good = lines(90)
    (folder / "a.jsonl").write_text("\n".join([*good, good[-1][:40]]))

    code = main(["run", configured(folder, "a.jsonl")])

    done = capsys.readouterr()
    offset = sum(len(line) + 1 for line in good)
    assert code == ExitCode.CHECK_FAILED
    assert done.err.splitlines()[-1].startswith(
        f"stopped early: a.jsonl, line {len(good) + 1}, offset {offset}: "
    )
    assert "Traceback" not in done.err
    assert "0 orders left (proven twice)" in done.out
    assert report(folder / "runs/rec-1")["messages"] > 800


def test_a_file_that_is_cut_off_ends_the_run_the_same_way(folder: Path, capsys: Captured) -> None:
    packed = gzip.compress("\n".join(lines(90)).encode())
    (folder / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])

    code = main(["run", configured(folder, "a.jsonl.gz"), "--json"])

    done = capsys.readouterr()
    assert code == ExitCode.CHECK_FAILED
    assert "a.jsonl.gz, line " in done.err.splitlines()[-1]
    assert ", offset " in done.err.splitlines()[-1]
    assert json.loads(done.out)["messages"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "engine.tik=1 s"], '--set: engine.tik = "1 s": unknown key'),
        (["--set", "venues.main.source=file:no.gz"], "no.gz: there is no such file"),
        (["--set", "venues.main.source=file:empty"], "empty, line 1, offset 0: "),
        (["--for", "5"], "--for '5': write a duration with its unit"),
        (["--speed", "0"], "--speed '0': write \"max\" or a number above zero"),
        (["--speed", "inf"], "--speed 'inf': "),
        (["--speed", "fast"], "--speed 'fast': "),
        (["no.toml"], "no.toml: file: there is no such file"),
    ],
)
def test_what_is_wrong_beforehand_is_one_line_and_writes_nothing(
    folder: Path, capsys: Captured, arguments: list[str], said: str
) -> None:
    (folder / "empty").touch()
    before = left(folder)

    code = main(["run", *arguments])

    done = capsys.readouterr()
    assert code == ExitCode.USAGE
    assert said in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert left(folder) == before


def test_without_a_configuration_it_says_so(folder: Path, capsys: Captured) -> None:
    (folder / "plugins.toml").unlink()

    assert main(["run"]) == ExitCode.USAGE
    assert "name a configuration file" in capsys.readouterr().err
    assert left(folder) == []


@pytest.mark.parametrize("speed", ["2000", "x2000", "×2000"])
def test_a_speed_is_a_multiple_of_real_time(folder: Path, speed: str) -> None:
    assert main(["run", "--for", "10 s", "--speed", speed]) == ExitCode.CLEAN
    assert (folder / "runs/demo-1").is_dir()


def test_a_folder_of_another_database_is_moved_aside(folder: Path, capsys: Captured) -> None:
    main(["run", *SHORT, "--set", "engine.store=sqlite:///one.db"])
    first = report(folder / "runs/demo-1")
    (folder / "runs/demo-1.1").mkdir()
    capsys.readouterr()

    code = main(["run", *SHORT, "--set", "engine.store=sqlite:///two.db", "--json"])

    assert code == ExitCode.CLEAN
    assert "runs/demo-1 was there already; it is runs/demo-1.2 now" in capsys.readouterr().err
    assert report(folder / "runs/demo-1.2") == first


def test_a_place_for_runs_that_is_none_is_one_line(folder: Path, capsys: Captured) -> None:
    (folder / "runs").touch()

    code = main(["run", *SHORT])

    assert code == ExitCode.HALTED
    assert capsys.readouterr().err.startswith("store runs/demo-1: cannot be made (")


def test_a_database_that_cannot_be_is_one_line_and_leaves_no_run(
    folder: Path, capsys: Captured
) -> None:
    code = main(["run", *SHORT, "--set", "engine.store=sqlite:///nowhere/a.db"])

    assert code == ExitCode.HALTED
    assert capsys.readouterr().err.count("\n") == 1
    assert left(folder) == ["plugins.toml"]


@pytest.fixture
def small_disk() -> Iterator[None]:
    """A disk that takes no file above a megabyte."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, most))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


@pytest.mark.usefixtures("small_disk")
def test_a_page_that_cannot_be_written_leaves_no_half_of_it(folder: Path, capsys: Captured) -> None:
    code = main(["run", *SHORT])

    done = capsys.readouterr()
    assert code == ExitCode.HALTED
    assert left(folder / "runs/demo-1") == ["events.jsonl.gz", "report.json"]
    assert "stopped clean, 0 orders left (proven twice)" in done.out
    assert done.err.splitlines()[-1] == (
        "store runs/demo-1/report.html: cannot be written (File too large)"
    )


def test_our_own_bug_keeps_its_traceback_and_the_run_its_report(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: ProgressWatch, session: Session) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ProgressWatch, "__call__", fail)

    code = main(["run", *SHORT])

    assert code == ExitCode.BUG
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert left(folder / "runs/demo-1") == ["events.jsonl.gz", "report.html", "report.json"]


def test_a_run_that_never_ended_is_an_incident_of_the_next(folder: Path, capsys: Captured) -> None:
    (folder / "runs").touch()
    main(["run", *SHORT])
    (folder / "runs").unlink()
    capsys.readouterr()

    code = main(["run", *SHORT, "--json"])

    found = json.loads(capsys.readouterr().out)
    assert code == ExitCode.CLEAN
    assert found["run"] == "demo-2"
    assert found["summary"]["incidents"] == {"killed_before": 1}


def test_the_database_holds_what_the_report_says(folder: Path, capsys: Captured) -> None:
    (folder / "a.jsonl").write_text("\n".join(lines(120)))
    main(["run", configured(folder, "a.jsonl"), "--json"])
    found = json.loads(capsys.readouterr().out)

    reader = open_reader("sqlite:///rec.db")

    (run,) = reader.runs("rec")
    assert (run.epoch, run.proven, run.reason) == (1, True, "the source ended")
    fills, orders = reader.fills(run.run_id), reader.orders(run.run_id)
    counts = found["strategies"]["btc"]
    assert len(fills) == counts["fills"]
    assert len(orders) == counts["orders"]["created"]
    assert sum(Decimal(fill["quantity"]) for fill in fills) == Decimal(counts["volume_base"])
    reader.close()
