import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import ExitCode
from fairlead.market import BinanceKind, Recording, RecordingCheck

T = 1723161253937085768
SNAPSHOT = '{"lastUpdateId":10,"bids":[["1.50","4.0"]],"asks":[["1.80","8.0"]]}'


def diff(first: int, last: int, bids: Sequence[tuple[str, str]] = ()) -> str:
    data = {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": first, "u": last, "b": bids, "a": []}
    return json.dumps({"stream": "btcusdt@depth@100ms", "data": data})


def quote(update_id: int, bid: str = "1.50") -> str:
    data = {"u": update_id, "s": "BTCUSDT", "b": bid, "B": "4.0", "a": "1.80", "A": "8.0"}
    return json.dumps({"stream": "btcusdt@bookTicker", "data": data})


def checked(path: Path, *messages: str, kind: BinanceKind | None = None) -> RecordingCheck:
    lines = [f"{T + number} {message}\n" for number, message in enumerate(messages)]
    path.write_text("".join(lines))
    check = RecordingCheck(Recording([path], kind))
    check.run()
    return check


def test_a_whole_recording_is_clean(tmp_path: Path) -> None:
    check = checked(
        tmp_path / "a",
        *(diff(9, 10), quote(12), SNAPSHOT, diff(11, 12), '{"result":null}'),
        diff(13, 13, [("1.40", "2.50")]),
    )

    assert check.exit_code() is ExitCode.CLEAN
    assert check.state == "valid"
    assert check.report() == {
        "schema": 1,
        "kind": "spot",
        "messages": 6,
        "diffs": 3,
        "trades": 0,
        "gaps": 0,
        "resyncs": 0,
        "crossed": 0,
        "valid": True,
        "last_update_id": 13,
        "checkpoints": {"compared": 1, "wrong": 0},
        "bids": [["1.5", "4"], ["1.4", "2.5"]],
        "asks": [["1.8", "8"]],
        "errors": [],
    }


def test_a_gap_without_another_snapshot_leaves_nothing(tmp_path: Path) -> None:
    check = checked(tmp_path / "a", SNAPSHOT, diff(11, 11), diff(13, 13), diff(14, 14))

    report = check.report()

    assert check.exit_code() is ExitCode.CHECK_FAILED
    assert (report["gaps"], report["resyncs"], report["valid"]) == (1, 0, False)
    assert (report["bids"], report["asks"]) == ([], [])
    assert report["last_update_id"] == 11
    assert check.state == "gap: 11 is followed by 13"


def test_a_gap_stays_a_finding_after_a_resync(tmp_path: Path) -> None:
    again = SNAPSHOT.replace("10", "20")

    check = checked(tmp_path / "a", SNAPSHOT, diff(13, 13), again, diff(21, 21))

    report = check.report()
    assert (report["gaps"], report["resyncs"], report["valid"]) == (1, 1, True)
    assert report["last_update_id"] == 21
    assert check.exit_code() is ExitCode.CHECK_FAILED


def test_a_crossed_book_is_a_finding(tmp_path: Path) -> None:
    check = checked(tmp_path / "a", SNAPSHOT, diff(11, 11, [("1.80", "1.0")]))

    report = check.report()
    assert (report["crossed"], report["valid"], report["bids"]) == (1, False, [])
    assert check.exit_code() is ExitCode.CHECK_FAILED


def test_a_wrong_best_quote_is_a_finding(tmp_path: Path) -> None:
    check = checked(tmp_path / "a", SNAPSHOT, diff(11, 11), quote(11, bid="1.51"))

    assert check.report()["checkpoints"] == {"compared": 1, "wrong": 1}
    assert check.report()["valid"]
    assert [wrong.update_id for wrong in check.first_wrong] == [11]
    assert check.exit_code() is ExitCode.CHECK_FAILED


def test_a_recording_without_a_snapshot_never_becomes_valid(tmp_path: Path) -> None:
    check = checked(tmp_path / "a", diff(11, 11), diff(12, 12))

    report = check.report()
    assert (report["valid"], report["last_update_id"], report["gaps"]) == (False, None, 0)
    assert check.state == "no snapshot yet"
    assert check.exit_code() is ExitCode.CHECK_FAILED


def test_a_forced_kind_brings_its_sequence_rule(tmp_path: Path) -> None:
    messages = (SNAPSHOT, diff(10, 11), diff(12, 12))

    spot = checked(tmp_path / "a", *messages)
    futures = checked(tmp_path / "a", *messages, kind=BinanceKind.USDM)

    assert (spot.report()["kind"], spot.report()["gaps"]) == ("spot", 0)
    assert (futures.report()["kind"], futures.report()["gaps"]) == ("usdm", 1)


def test_an_unreadable_line_ends_the_check_with_what_was_read(tmp_path: Path) -> None:
    check = checked(tmp_path / "a", SNAPSHOT, diff(11, 11), '{"stream":"btcusdt@dep', diff(12, 12))

    report = check.report()
    (error,) = report["errors"]
    assert (report["messages"], report["diffs"], report["valid"]) == (2, 1, True)
    assert report["last_update_id"] == 11
    assert (error["file"], error["line"]) == (str(tmp_path / "a"), 3)
    assert error["offset"] == len(SNAPSHOT) + len(diff(11, 11)) + 2 * 21
    assert check.exit_code() is ExitCode.CHECK_FAILED


def test_nothing_usable_is_a_usage_error(tmp_path: Path) -> None:
    check = checked(tmp_path / "a", "hello")

    report = check.report()
    assert (report["kind"], report["messages"], report["last_update_id"]) == (None, 0, None)
    assert len(report["errors"]) == 1
    assert check.state == "no book"
    assert check.exit_code() is ExitCode.USAGE


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("".join(f"{T} {quote(number)}\n" for number in range(12_000)))
    seen: list[int] = []

    RecordingCheck(Recording([path])).run(seen.append)

    assert len(seen) == 2
    assert 0 < seen[0] < seen[1] <= path.stat().st_size


FEEDS: Sequence[tuple[str, str, str, int, int]] = (
    ("spot_btcusdt", "spot_btcusdt_2024080[89].jsonl.gz", "spot", 1072, 6495),
    ("usdm_btcusdt", "usdm_btcusdt_20240808.jsonl.gz", "usdm", 629, 6551),
    ("cm_btcusd_perp", "cm_btcusd_perp_2024080[89].jsonl.gz", "coinm", 1885, 44795),
    ("cm_ethusd_perp", "cm_ethusd_perp_2024080[89].jsonl.gz", "coinm", 2278, 39155),
)


def trimmed(levels: list[list[str]]) -> list[list[str]]:
    return [
        [text.rstrip("0").rstrip(".") if "." in text else text for text in level]
        for level in levels
    ]


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("name", "pattern", "kind", "compared", "diffs"), FEEDS, ids=[feed[0] for feed in FEEDS]
)
def test_the_recorded_books_agree_with_the_venue(
    data_dir: Path, name: str, pattern: str, kind: str, compared: int, diffs: int
) -> None:
    folder = data_dir / "binance_l2"
    final = json.loads((folder / f"{name}_final_book.json").read_text())
    check = RecordingCheck(Recording(sorted(folder.glob(pattern))))

    check.run()
    report = check.report()

    assert check.exit_code() is ExitCode.CLEAN
    assert (report["kind"], report["diffs"], report["gaps"]) == (kind, diffs, 0)
    assert report["checkpoints"] == {"compared": compared, "wrong": 0}
    assert report["last_update_id"] == final["final_update_id"]
    assert report["trades"] == final["trades"]
    assert report["bids"] == trimmed(final["final_bids_top20"])
    assert report["asks"] == trimmed(final["final_asks_top20"])


def test_an_old_recording_in_microseconds_is_checked_too(data_dir: Path) -> None:
    path = data_dir / "binance_l2" / "usdm_btcusdt_20220811_sample.jsonl.gz"
    check = RecordingCheck(Recording([path]))

    check.run()

    assert check.exit_code() is ExitCode.CLEAN
    assert (check.report()["diffs"], check.report()["trades"]) == (206, 1326)


def without_a_diff(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    diffs = [number for number, line in enumerate(lines) if b"@depth" in line[:60]]
    del lines[diffs[len(diffs) // 2]]
    return b"".join(lines)


def garbled(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    lines[20_000] = lines[20_000].replace(b'"', b"", 1)
    return b"".join(lines)


def as_it_is(content: bytes) -> bytes:
    return content


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("spoil", "cut", "expected"),
    [
        pytest.param(
            without_a_diff, 0, {"messages": 41_248, "gaps": 1, "valid": False}, id="one missing"
        ),
        pytest.param(garbled, 0, {"messages": 20_000, "gaps": 0, "valid": True}, id="garbled"),
        pytest.param(as_it_is, 100_000, {"gaps": 0, "valid": True}, id="truncated"),
    ],
)
def test_a_spoilt_recording_is_found_out(
    data_dir: Path,
    tmp_path: Path,
    spoil: Callable[[bytes], bytes],
    cut: int,
    expected: dict[str, Any],
) -> None:
    original = data_dir / "binance_l2" / "spot_btcusdt_20240808.jsonl.gz"
    packed = gzip.compress(spoil(gzip.decompress(original.read_bytes())), compresslevel=1)
    copy = tmp_path / "copy.jsonl.gz"
    copy.write_bytes(packed[: len(packed) - cut])
    check = RecordingCheck(Recording([copy]))

    check.run()
    report = check.report()

    assert check.exit_code() is ExitCode.CHECK_FAILED
    assert {key: report[key] for key in expected} == expected
    assert report["messages"] > 10_000
    if not report["gaps"]:
        (error,) = report["errors"]
        assert error["line"] == report["messages"] + 1
        assert error["offset"] > 1_000_000
