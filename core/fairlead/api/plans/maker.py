"""Name where a maker order is put."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["MakerPrice"]


class MakerPrice(StrEnum):
    """Where a maker order is put between the best prices; it never crosses."""

    #: At the best price of its own side, behind what rests there.
    JOIN = "join"
    #: One price step better, where there is room; else as ``join``.
    IMPROVE = "improve"
    #: One price step before the other side's best price: first in line for nearly the whole spread.
    INSIDE = "inside"
