import gzip
import json
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from fairlead.errors import StoreError
from fairlead.model import Side
from fairlead.store import (
    RECORDS,
    CancelAsked,
    MarkoutKnown,
    TraceHash,
    TraceWriter,
    read_trace,
    trace_line,
)
from tests.fairlead.store.records import client_id, order, tick


def write(path: Path, count: int, *, close: bool = True) -> TraceWriter:
    writer = TraceWriter(path)
    for n in range(1, count + 1):
        writer.write(n, n * 1_000, order(n))
    if close:
        writer.close()
    return writer


def test_a_line_has_sorted_keys_text_for_decimals_and_the_short_name_of_the_order() -> None:
    line = trace_line(3, 1_000, order(7))

    assert line.endswith(b"}\n")
    read = json.loads(line)
    assert list(read) == sorted(read)
    assert [list(reason) == sorted(reason) for reason in read["reasons"]] == [True]
    assert (read["n"], read["t_ns"], read["kind"]) == (3, 1_000, "order")
    assert (read["price"], read["quantity"], read["mid"]) == ("1.2345", "203.10", None)
    assert read["order"] == "aaaaaaah"


def test_names_inside_a_record_are_sorted_too() -> None:
    markout = MarkoutKnown("t", "alt", Side.BUY, 0, Decimal(1), {"60s": None, "10s": 1.5})

    assert b'"bps":{"10s":1.5,"60s":null}' in trace_line(1, 1, markout)


def test_an_order_of_someone_else_keeps_its_whole_name() -> None:
    assert b'"order":"web_1234"' in trace_line(1, 1, CancelAsked("web_1234", "asked"))


def test_who_reads_along_lags_by_ten_seconds_at_most(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    writer = TraceWriter(path)

    for second in range(41):
        writer.write(second + 1, second * 1_000_000_000, order(second))
        read = len(list(read_trace(path)))
        assert second - read < 10

    writer.close()
    assert len(list(read_trace(path))) == 41


def test_two_runs_of_one_seed_have_equal_lines() -> None:
    ours, later = client_id(9, tag=5, epoch=1), client_id(9, tag=77, epoch=12)

    lines = [trace_line(1, 1, CancelAsked(name, "refresh")) for name in (ours, later)]

    assert lines[0] == lines[1]
    assert ours.encode() not in lines[0]


@pytest.mark.parametrize("kind", RECORDS)
def test_no_field_of_a_record_hides_behind_a_key_of_the_trace(kind: str) -> None:
    cls = RECORDS[kind]

    names = {field.name for field in msgspec.structs.fields(cls)}

    assert cls.kind == kind
    assert names & {"n", "t_ns", "kind"} == set()


def test_the_hash_is_that_of_the_lines_with_or_without_a_file(tmp_path: Path) -> None:
    path, alone = tmp_path / "events.jsonl.gz", TraceHash()
    for n in range(1, 1_001):
        alone.write(n, n * 1_000, order(n))

    writer = write(path, 1_000)

    assert writer.hexdigest == alone.hexdigest
    assert sha256(gzip.decompress(path.read_bytes())).hexdigest() == writer.hexdigest


def test_equal_traces_are_equal_files_without_name_or_time(tmp_path: Path) -> None:
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"

    write(first, 700)
    write(second, 700)

    assert first.read_bytes() == second.read_bytes()
    flags, mtime = first.read_bytes()[3], first.read_bytes()[4:8]
    assert (flags, mtime) == (0, bytes(4))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"

    write(path, 1_000)

    events = list(read_trace(path))
    assert [event["n"] for event in events] == list(range(1, 1_001))
    assert events[0] == json.loads(trace_line(1, 1_000, order(1)))


def test_a_killed_run_leaves_a_readable_prefix(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    writer = write(path, 1_300, close=False)

    assert len(list(read_trace(path))) == 1_024
    writer.flush()
    assert len(list(read_trace(path))) == 1_300
    writer.close()


def test_every_cut_of_a_file_leaves_whole_lines_from_the_begin(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.gz", tmp_path / "cut.gz"
    write(whole, 600)
    packed = whole.read_bytes()

    counts = []
    for length in range(0, len(packed), 97):
        cut.write_bytes(packed[:length])
        numbers = [event["n"] for event in read_trace(cut)]
        assert numbers == list(range(1, len(numbers) + 1))
        counts.append(len(numbers))

    assert counts == sorted(counts)
    assert counts[0] == 0


def test_a_torn_end_of_zeros_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    writer = write(path, 600, close=False)
    writer.flush()
    packed = path.read_bytes()
    writer.close()
    path.write_bytes(packed + b"\x07" * 100_000)

    assert len(list(read_trace(path))) == 600


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"this is no gzip", "is no trace"),
        (gzip.compress(b'{"kind":"tick"}\n{"kind":\n'), "line 2 is garbled"),
        (gzip.compress(b"[1]\n"), "line 1 is no trace record"),
    ],
    ids=["not packed", "not JSON", "not a record"],
)
def test_a_file_that_is_no_trace_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(content)

    with pytest.raises(StoreError, match=message):
        list(read_trace(path))


def test_a_missing_file_and_a_missing_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"store events\.gz: cannot be read \(No such file"):
        list(read_trace(tmp_path / "events.gz"))
    with pytest.raises(StoreError, match=r"store events\.gz: the trace cannot be written"):
        TraceWriter(tmp_path / "missing" / "events.gz")


class FullDisk:
    """A packer whose disk has no room."""

    def write(self, data: bytes) -> int:
        raise OSError(28, f"No room for {len(data)} bytes")

    def close(self) -> None:
        raise OSError(28, "No room")


def test_a_full_disk_ends_the_file_but_not_the_hash(tmp_path: Path) -> None:
    alone = TraceHash()
    writer = TraceWriter(tmp_path / "events.jsonl.gz")
    packer, writer._gzip = writer._gzip, FullDisk()  # type: ignore[assignment]  # a fake
    for n in range(1, 1_500):
        writer.write(n, n, tick(n))
        alone.write(n, n, tick(n))

    with pytest.raises(StoreError, match=r"incomplete \(No room for"):
        writer.close()

    assert writer.hexdigest == alone.hexdigest
    packer.close()
    writer._file.close()
    writer.close()
