"""What of the real process can be tried without signals; those are in tests/system."""

import os
from pathlib import Path

import pytest

from fairlead.kernel import SystemProcess


def test_a_marker_is_read_as_it_was_written_and_replaced_as_a_whole(tmp_path: Path) -> None:
    process = SystemProcess(tmp_path / "beside" / "the store")

    assert process.read_marker("demo.HALTED") is None
    process.write_marker("demo.HALTED", "the disk is full\n")
    process.write_marker("demo.HALTED", "größer")

    assert process.read_marker("demo.HALTED") == "größer"
    assert [path.name for path in (tmp_path / "beside" / "the store").iterdir()] == ["demo.HALTED"]


def test_another_process_finds_the_marker(tmp_path: Path) -> None:
    SystemProcess(tmp_path).write_marker("demo.HALTED", "why")

    assert SystemProcess(tmp_path).read_marker("demo.HALTED") == "why"


def test_a_marker_goes_when_it_is_cleared(tmp_path: Path) -> None:
    process = SystemProcess(tmp_path)
    process.write_marker("demo.HALTED", "why")

    process.clear_marker("demo.HALTED")
    process.clear_marker("demo.HALTED")

    assert process.read_marker("demo.HALTED") is None


def test_markers_of_instances_with_like_names_stay_apart(tmp_path: Path) -> None:
    process = SystemProcess(tmp_path)
    for name in ("a.HALTED", "a.b", "a"):
        process.write_marker(name, name)

    assert [process.read_marker(name) for name in ("a.HALTED", "a.b", "a")] == [
        "a.HALTED",
        "a.b",
        "a",
    ]


def test_a_disk_that_refuses_is_told_and_leaves_the_old_marker(tmp_path: Path) -> None:
    process = SystemProcess(tmp_path)
    process.write_marker("demo.HALTED", "why")
    (tmp_path / "demo.HALTED.partial").mkdir()

    with pytest.raises(OSError, match="directory"):
        process.write_marker("demo.HALTED", "more")

    assert process.read_marker("demo.HALTED") == "why"


def test_a_process_is_named_by_host_and_number(tmp_path: Path) -> None:
    host, colon, number = SystemProcess(tmp_path).identity().rpartition(":")

    assert host
    assert colon
    assert number == str(os.getpid())
