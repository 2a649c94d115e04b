"""Write down what was measured, and measure it: the best of a few rounds.

Time is that of the processor, since neighbours on the machine only make a round slower.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Figure", "best_s", "rate"]

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str


def rate(name: str, unit: str, count: int, work: Callable[[], object]) -> Figure:
    """Measure how many of ``count`` units ``work`` does in a second."""
    return Figure(name, count / best_s(work), f"{unit}/s")


def best_s(work: Callable[[], object]) -> float:
    """Give the seconds of the processor that the best round took."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best
