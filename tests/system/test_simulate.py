"""The command ``fairlead simulate`` as a shell sees it: its report, its codes, its sameness.

Bound: 30 s for each run.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.system.command import call

pytestmark = pytest.mark.system


def report(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def test_seeds_without_a_violation_end_with_zero_and_a_report(tmp_path: Path) -> None:
    done = call(
        *("simulate", "--seeds", "1-2", "--hours", "0.05", "--jobs", "2", "--json", "r.json"),
        *("--shipped", "quotes"),
        cwd=tmp_path,
        measured=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "2 seeds, 0.1 simulated hours" in done.stdout
    assert done.stdout.endswith("no violation\n")
    data = report(tmp_path / "r.json")
    assert list(data) == [
        *("schema", "seeds", "sim_hours", "orders", "faults", "violations", "trace_hashes")
    ]
    assert (data["schema"], data["seeds"], data["violations"]) == (1, 2, [])
    assert data["sim_hours"] >= 0.1
    assert data["orders"] > 0
    assert {len(digest) for digest in data["trace_hashes"].values()} == {64}
    assert list(data["trace_hashes"]) == ["1", "2"]


@pytest.mark.timeout(150)
def test_ten_seeds_run_the_same_under_any_hash_seed_and_in_any_number_of_jobs(
    tmp_path: Path,
) -> None:
    reports = []
    for hash_seed, jobs in (("0", "1"), ("424242", "2")):
        done = call(
            *("simulate", "--seeds", "1-10", "--hours", "0.05"),
            *("--jobs", jobs, "--json", "r.json"),
            cwd=tmp_path,
            env={"PYTHONHASHSEED": hash_seed},
            measured=False,
        )
        assert done.returncode == 0
        reports.append(report(tmp_path / "r.json"))

    assert reports[0] == reports[1]
    assert len(set(reports[0]["trace_hashes"].values())) == 10


def test_a_planted_bug_ends_with_one_and_says_how_to_see_it_again(tmp_path: Path) -> None:
    done = call(
        *("simulate", "--plant", "sends_before_durable", "--jobs", "1", "--json", "r.json"),
        cwd=tmp_path,
    )

    assert done.returncode == 1
    assert "an intent is durable before its order is sent" in done.stdout
    assert "again: fairlead simulate --seeds 1-1 --hours 0.25 --plant sends_before_durable\n" in (
        done.stdout
    )
    (violation,) = report(tmp_path / "r.json")["violations"]
    assert violation["seed"] == 1
    assert violation["trace"]


def test_every_plant_is_listed_on_a_line_of_its_own(tmp_path: Path) -> None:
    done = call("simulate", "--plant", "list", cwd=tmp_path)

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert len(lines) >= 15
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--seeds", "5-1"), "--seeds '5-1': write a first and a last seed"),
        (("--seeds", "many"), "--seeds 'many'"),
        (("--hours", "0"), "--hours '0': write 0.05 or more"),
        (("--hours", "nan"), "--hours 'nan'"),
        (("--jobs", "0"), "--jobs '0': write 1 or more"),
        (("--faults", "rain"), "--faults 'rain': write all, none or a list of: refused"),
        (("--only", "one"), "--only 'one': write numbers"),
        (("--plant", "weed"), "--plant 'weed': write list, or one of: exception_is_failed"),
        (("nowhere.toml",), "nowhere.toml"),
        (("nowhere.toml", "--shipped", "plans"), "--shipped 'plans': leave it out, or CONFIG"),
        (("--set", "strategies.alt.market=main:BTC/USDT"), "ALT/USDT only"),
    ],
    ids=lambda value: value[0] + " " + value[-1] if isinstance(value, tuple) else "",
)
def test_wrong_input_is_one_line_and_code_two(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = call("simulate", *arguments, cwd=tmp_path, measured=False)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    done = call(
        *("simulate", "--seeds", "1", "--hours", "0.05", "--only", "none", "--json", "no/r.json"),
        cwd=tmp_path,
    )

    assert done.returncode == 5
    assert "no/r.json: cannot be written" in done.stderr
