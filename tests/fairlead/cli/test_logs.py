import gzip
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from fairlead.cli.logs import logs
from fairlead.cli.logs_line import event_line
from fairlead.cli.logs_run import find_run
from fairlead.errors import UsageError
from tests.fairlead.cli.made import BUY, make_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / "demo-1"
    make_run(folder)
    return folder


def shown(*arguments: str) -> list[str]:
    result = CliRunner().invoke(logs, arguments, catch_exceptions=False)
    return result.output.splitlines()


@pytest.mark.usefixtures("run")
def test_every_record_is_a_line_with_the_time_since_the_start() -> None:
    lines = shown()

    assert lines[0].startswith("00:00.000  run_started demo paper, seed 7")
    assert (
        lines[-1]
        == "06:40.000  run_ended   the time asked for is over: no order of ours left, proven"
    )
    assert any("fill" in line and "BUY 125 @ 1.9984 maker" in line for line in lines)
    assert any("denied" in line and "995, limit 500" in line for line in lines)
    assert any("incident    late_fill: x < y" in line for line in lines)


@pytest.mark.usefixtures("run")
def test_ticks_and_samples_are_shown_only_when_they_are_asked_for() -> None:
    assert not any(" sample " in line or " tick " in line for line in shown())

    assert len(shown("--kind", "tick")) == 1
    assert len(shown("--kind", "sample", "--kind", "markout")) > 100


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("name", [str(BUY), BUY.short], ids=["full", "short"])
def test_one_order_is_followed_by_either_of_its_names(name: str) -> None:
    lines = shown("--order", name)

    assert [line.split()[1] for line in lines] == ["order", "transition", "fill", "transition"]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("since", "first"),
    [
        ("05:02", "05:02.000"),
        ("0:05:02", "05:02.000"),
        ("98 s", "05:02.000"),
        ("1 min", "06:40.000"),
    ],
)
def test_since_takes_a_time_of_the_run_or_a_span_before_its_end(since: str, first: str) -> None:
    assert shown("--since", since)[0].split()[0] == first


@pytest.mark.usefixtures("run")
def test_json_gives_the_records_as_they_were_written() -> None:
    (line,) = shown("--kind", "incident", "--json")

    assert json.loads(line)["detail"] == "x < y"
    assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"))


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--kind", "fil"], "one of alert, cancel"),
        (["--since", "yesterday"], 'a span as "5 min"'),
        (["--run", "nowhere"], "there are: demo-1"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_ones(arguments: list[str], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        shown(*arguments)


def test_the_newest_run_is_taken_unless_one_is_named(run: Path, tmp_path: Path) -> None:
    newer = tmp_path / "runs" / "demo-2"
    make_run(newer, seconds=180)
    os.utime(run / "events.jsonl.gz", (1, 1))

    assert find_run(None, tmp_path / "runs") == newer
    assert find_run("demo-1", tmp_path / "runs") == run
    assert find_run(str(run)) == run


def test_a_record_of_an_unknown_kind_shows_its_fields() -> None:
    line = event_line({"kind": "later", "n": 1, "t_ns": 0, "what": "new"})

    assert line.plain == "later       what=new"


def test_the_start_of_an_empty_trace_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / "torn-1"
    folder.mkdir(parents=True)
    with gzip.open(folder / "events.jsonl.gz", "wb"):
        pass

    with pytest.raises(UsageError, match="is written yet"):
        shown()
