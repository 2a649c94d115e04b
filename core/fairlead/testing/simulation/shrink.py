"""Find the few faults that a violation needs, by leaving out ever smaller parts of a schedule."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["shrink"]

#: Runs the faults at these places of a schedule and tells whether the same promise is still broken.
StillBroken = Callable[[tuple[int, ...]], bool]


def shrink(faults: tuple[int, ...], still_broken: StillBroken, tries: int) -> tuple[int, ...]:
    """Give fewer places of a schedule that break the same promise; all if none can be left out.

    No fault of the result can be left out, unless ``tries`` runs were not enough to see it.

    Source: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.
    """
    parts = 2
    while faults and tries > 0:
        size = max(len(faults) // parts, 1)
        for start in range(0, len(faults), size):
            rest = faults[:start] + faults[start + size :]
            tries -= 1
            if still_broken(rest):
                faults, parts = rest, max(parts - 1, 2)
                break
            if tries <= 0:
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(faults))
    return faults
