"""Measure what a process takes before it does anything, by the wall, in processes of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.figure import Figure

__all__ = ["figures"]

_ROUNDS = 5
_PROGRAMS = {
    "start Python": "pass",
    "import fairlead.kernel, Python's start included": "import fairlead.kernel",
    "fairlead --version": "from fairlead.cli import main; main(['--version'])",
}


def figures() -> Iterator[Figure]:
    """Measure the best of five starts each."""
    for name, program in _PROGRAMS.items():
        yield Figure(name, min(_wall_s(program) for _ in range(_ROUNDS)) * 1e3, "ms")


def _wall_s(program: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    return time.perf_counter() - begin
