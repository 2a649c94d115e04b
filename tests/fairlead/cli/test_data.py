import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fairlead.cli.data import data
from fairlead.cli.main import main

T = 1723161253937085768
SNAPSHOT = '{"lastUpdateId":10,"bids":[["1.50","4.0"]],"asks":[["1.80","8.0"]]}'
DIFF = (
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":%d,'
    '"u":%d,"b":[["1.40","2.0"]],"a":[]}}'
)
QUOTE = (
    '{"stream":"btcusdt@bookTicker","data":{"u":%d,"s":"BTCUSDT","b":"1.60","B":"4.0","a":"1.80",'
    '"A":"8.0"}}'
)

Captured = pytest.CaptureFixture[str]


def recording(path: Path, *messages: str) -> str:
    path.write_text("".join(f"{T} {message}\n" for message in messages))
    return str(path)


def printed(capsys: Captured) -> tuple[dict[str, Any], str]:
    done = capsys.readouterr()
    return json.loads(done.out), done.err


def test_a_good_recording_is_clean(tmp_path: Path, capsys: Captured) -> None:
    path = recording(tmp_path / "a", SNAPSHOT, DIFF % (11, 11))

    assert main(["data", "check", path]) == 0

    done = capsys.readouterr()
    assert done.err == ""
    assert done.out.splitlines() == [
        "spot: 2 messages, 1 diffs, 0 trades",
        "gaps 0, resyncs 0, crossed 0",
        "best quotes: 0 compared, 0 wrong",
        "book: valid, last update 11",
        "               4            1.5 │ 1.8            8",
        "               2            1.4 │",
    ]


def test_a_gap_is_exit_1_with_the_figures_as_json(tmp_path: Path, capsys: Captured) -> None:
    path = recording(tmp_path / "a", SNAPSHOT, DIFF % (13, 13))

    assert main(["data", "check", path, "--json"]) == 1

    report, errors = printed(capsys)
    assert (report["schema"], report["gaps"], report["valid"]) == (1, 1, False)
    assert errors == ""


def test_a_wrong_best_quote_is_shown_with_both_sides(tmp_path: Path, capsys: Captured) -> None:
    path = recording(tmp_path / "a", SNAPSHOT, DIFF % (11, 11), QUOTE % 11)

    assert main(["data", "check", path]) == 1

    out = capsys.readouterr().out
    assert "best quotes: 1 compared, 1 wrong" in out
    assert "after update 11 the venue said" in out


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_garbled_line_is_exit_1_with_its_place_and_the_counts_so_far(
    tmp_path: Path, capsys: Captured, options: list[str]
) -> None:
    path = recording(tmp_path / "a", SNAPSHOT, DIFF % (11, 11), "{", DIFF % (12, 12))

    assert main(["data", "check", path, *options]) == 1

    done = capsys.readouterr()
    offset = len(SNAPSHOT) + len(DIFF % (11, 11)) + 2 * 21
    assert f"{path}, line 3, offset {offset}: unreadable message" in done.err
    assert len(done.err.splitlines()) == 1
    if options:
        report = json.loads(done.out)
        assert (report["messages"], report["diffs"], report["valid"]) == (2, 1, True)
        assert (report["errors"][0]["line"], report["errors"][0]["offset"]) == (3, offset)
    else:
        assert done.out.startswith("spot: 2 messages, 1 diffs")


def test_a_truncated_file_is_exit_1(tmp_path: Path, capsys: Captured) -> None:
    whole = "".join(f"{T} {DIFF % (n, n)}\n" for n in range(11, 2_000))
    packed = gzip.compress(f"{T} {SNAPSHOT}\n{whole}".encode())
    path = tmp_path / "a.gz"
    path.write_bytes(packed[:-500])

    assert main(["data", "check", str(path), "--json"]) == 1

    report, errors = printed(capsys)
    assert 0 < report["diffs"] < 1_989
    assert report["errors"][0]["line"] == report["messages"] + 1
    assert "cut off" in errors


@pytest.mark.parametrize("content", [None, "", "hello\n", "{}\n", f"{T} {{}}\n"])
def test_nothing_usable_is_exit_2_in_one_line(
    tmp_path: Path, capsys: Captured, content: str | None
) -> None:
    path = tmp_path / "a"
    if content is not None:
        path.write_text(content)

    assert main(["data", "check", str(path)]) == 2
    text = capsys.readouterr()
    assert main(["data", "check", str(path), "--json"]) == 2
    report, errors = printed(capsys)

    assert text.out == ""
    assert text.err == errors
    assert len(errors.splitlines()) == 1
    assert (report["messages"], report["kind"], report["valid"]) == (0, None, False)
    assert len(report["errors"]) == 1


def test_a_missing_second_file_is_exit_2(tmp_path: Path, capsys: Captured) -> None:
    path = recording(tmp_path / "a", SNAPSHOT)

    assert main(["data", "check", path, str(tmp_path / "absent")]) == 2
    assert "absent: there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a", "--kind", "option"]], ids=["no file", "no kind"])
def test_wrong_usage_is_exit_2(capsys: Captured, arguments: list[str]) -> None:
    assert main(["data", "check", *arguments]) == 2
    assert "Usage:" in capsys.readouterr().err


def test_the_kind_can_be_forced(tmp_path: Path, capsys: Captured) -> None:
    path = recording(tmp_path / "a", SNAPSHOT, DIFF % (10, 11), DIFF % (12, 12))

    assert main(["data", "check", path, "--kind", "coinm", "--json"]) == 1

    report, _ = printed(capsys)
    assert (report["kind"], report["gaps"]) == ("coinm", 1)


def test_the_help_has_an_example() -> None:
    runner = CliRunner()

    for arguments in (["--help"], ["check", "--help"]):
        assert "Example: fairlead data check" in runner.invoke(data, arguments).output


def test_on_a_terminal_progress_goes_to_standard_error(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recording(tmp_path / "a", SNAPSHOT, *(QUOTE % number for number in range(6_000)))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")

    assert main(["data", "check", path, "--json"]) == 0

    report, errors = printed(capsys)
    assert report["messages"] == 6_001
    assert "replaying" in errors


@pytest.mark.unmeasured
def test_the_recorded_spot_days_are_clean(data_dir: Path, capsys: Captured) -> None:
    folder = data_dir / "binance_l2"
    files = [str(path) for path in sorted(folder.glob("spot_btcusdt_2024*.gz"))]

    assert main(["data", "check", *files, "--json"]) == 0

    report, errors = printed(capsys)
    assert errors == ""
    assert report["checkpoints"] == {"compared": 1072, "wrong": 0}
    assert report["last_update_id"] == 50093696318
