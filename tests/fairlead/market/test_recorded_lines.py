import gzip
from pathlib import Path

import pytest

from fairlead.errors import FeedError
from fairlead.market import RecordedLines

T = 1723161253937085768


def written(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def lines_of(*paths: Path) -> list[tuple[int, bytes]]:
    return list(RecordedLines(paths))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_are_read_whatever_the_name_says(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(pack(b"%d {}\n%d [1, 2]\n" % (T, T + 1)))

    assert lines_of(path) == [(T, b"{}\n"), (T + 1, b"[1, 2]\n")]


def test_several_files_follow_one_another(tmp_path: Path) -> None:
    first = written(tmp_path / "a", b"%d a\n" % T)
    second = tmp_path / "b"
    second.write_bytes(gzip.compress(b"%d b\n" % T) + gzip.compress(b"%d c" % (T + 1)))

    assert [payload for _, payload in lines_of(first, second)] == [b"a\n", b"b\n", b"c"]


def test_old_recordings_count_microseconds(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"1660228022484228 {}\n")

    assert lines_of(path) == [(1660228022484228_000, b"{}\n")]


def test_empty_lines_are_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"%d a\n" % T, b"\n", b"%d b\n\n" % T)

    assert len(lines_of(path)) == 2


def test_where_the_reading_stands_is_known(tmp_path: Path) -> None:
    first = written(tmp_path / "a", b"%d a\n" % T)
    second = written(tmp_path / "b", b"%d bb\n" % T, b"%d cc\n" % T)
    lines = RecordedLines((first, second))

    places = [(lines.path.name, lines.number, lines.offset) for _ in lines]

    assert places == [("a", 1, 0), ("b", 1, 0), ("b", 2, 23)]
    assert lines.bytes_read() == first.stat().st_size + second.stat().st_size


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{}\n", "does not begin with a local receive time"),
        (b"-5 {}\n", "does not begin with a local receive time"),
        (b"1723161253 {}\n", "neither in ns nor in"),
        (b"99999999999999999999999 {}\n", "neither in ns nor in"),
        (b"%d {}\n" % (T - 1), "goes back"),
    ],
    ids=["no time", "negative", "seconds", "beyond all time", "back"],
)
def test_a_wrong_time_is_an_error_with_its_place(tmp_path: Path, line: bytes, reason: str) -> None:
    path = written(tmp_path / "a", b"%d {}\n" % T, line)

    with pytest.raises(FeedError, match=reason) as caught:
        lines_of(path)

    assert (caught.value.line, caught.value.offset) == (2, 23)
    assert caught.value.source == str(path)


def test_time_does_not_go_back_from_file_to_file(tmp_path: Path) -> None:
    late, early = (
        written(tmp_path / "a", b"%d {}\n" % T),
        written(tmp_path / "b", b"%d {}" % (T - 1)),
    )

    with pytest.raises(FeedError, match="goes back") as caught:
        lines_of(late, early)

    assert (caught.value.source, caught.value.line) == (str(early), 1)


def test_a_truncated_gzip_gives_what_it_has_and_then_an_error(tmp_path: Path) -> None:
    content = b"".join(b"%d %d\n" % (T + i, i * 7919) for i in range(5_000))
    path = written(tmp_path / "a.gz", gzip.compress(content)[:-3_000])
    given: list[tuple[int, bytes]] = []

    with pytest.raises(FeedError, match="cut off or damaged") as caught:
        given.extend(RecordedLines((path,)))

    read = len(given)
    assert 1_000 < read < 5_000
    assert caught.value.line == read + 1
    assert caught.value.offset == len(b"".join(content.splitlines(keepends=True)[:read]))
    assert caught.value.usable


def test_a_damaged_gzip_is_an_error(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"".join(b"%d %d\n" % (T + i, i) for i in range(5_000))))
    packed[len(packed) // 2 :] = b"\x55" * (len(packed) - len(packed) // 2)

    with pytest.raises(FeedError, match=r"cut off or damaged|local"):
        lines_of(written(tmp_path / "a.gz", bytes(packed)))


def test_trailing_garbage_after_gzip_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gz", gzip.compress(b"%d {}\n" % T), b"more")

    with pytest.raises(FeedError, match="cut off or damaged") as caught:
        lines_of(path)

    assert caught.value.line == 2


def test_a_missing_file_is_an_unusable_one(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="no such file") as caught:
        lines_of(tmp_path / "absent")

    assert not caught.value.usable


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["plain", "gzip"])
def test_an_empty_file_is_an_unusable_one(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FeedError, match="empty") as caught:
        lines_of(written(tmp_path / "a", content))

    assert not caught.value.usable


def test_an_empty_file_after_a_good_one_is_a_broken_recording(tmp_path: Path) -> None:
    good, empty = written(tmp_path / "a", b"%d {}\n" % T), written(tmp_path / "b")

    with pytest.raises(FeedError, match="empty") as caught:
        lines_of(good, empty)

    assert caught.value.usable


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"0" * (1 << 25), compresslevel=1))

    with pytest.raises(FeedError, match="longer than"):
        lines_of(path)


def test_reading_may_end_at_any_line(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"%d a\n%d b\n" % (T, T)))
    lines = RecordedLines((path,))

    reading = iter(lines)
    assert next(reading) == (T, b"a\n")
    del reading

    assert lines.bytes_read() == 0, "the file is closed"
