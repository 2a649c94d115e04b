"""Every failure mode that concerns what is built is held by tests that exist."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "failure-modes.md"

#: The failure modes of orders, books, streams, disks and clocks.
ROWS = tuple(range(1, 38))
NOT_BUILT = ("(38 to 45)",)

_ROW = re.compile(r"^\| (\d+) \|([^|]+)\|([^|]+)\|([^|]+)\|$", re.MULTILINE)
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows(text: str) -> Mapping[int, str]:
    """Give the tests of each row as they are written."""
    return {int(number): tests for number, _, _, tests in _ROW.findall(text)}


@cache
def collected_from(file: Path) -> frozenset[str]:
    """Give the tests that pytest would collect from a file and not skip, without running it."""
    if not file.is_file() or not file.name.startswith("test_"):
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not any("skip" in ast.dump(mark) for mark in node.decorator_list)
    )


def missing(text: str) -> Iterator[str]:
    """Name every test that is named and does not exist."""
    for number, tests in rows(text).items():
        for path, name in _TEST.findall(tests):
            if name not in collected_from(ROOT / "tests" / path):
                yield f"{number}: {path}::{name}"


def test_no_failure_mode_is_left_out_and_none_is_there_twice() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert sorted(int(row[0]) for row in _ROW.findall(text)) == list(ROWS)
    assert all(words in text for words in NOT_BUILT)


def test_every_failure_mode_names_its_tests() -> None:
    found = rows(PAGE.read_text(encoding="utf-8"))

    assert [number for number, tests in found.items() if not _TEST.findall(tests)] == []


def test_every_test_that_is_named_exists() -> None:
    assert list(missing(PAGE.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "test", ["guards/test_nowhere.py::test_a", "guards/test_failure_modes.py::test_of_nothing"]
)
def test_a_test_that_is_gone_is_found(test: str) -> None:
    assert list(missing(f"| 1 | it breaks | it mends | `{test}` |")) == [f"1: {test}"]
