"""Carry what is read off a book: a level, and what taking a quantity would give."""

from __future__ import annotations

from decimal import Decimal

import msgspec

__all__ = ["Depth", "Walk"]


class Depth(msgspec.Struct, frozen=True, gc=False):
    """One level of a book: price and quantity."""

    price: Decimal
    quantity: Decimal


class Walk(msgspec.Struct, frozen=True, gc=False):
    """What taking a quantity from a book would give: filled part, average and worst price."""

    filled: Decimal
    average: Decimal
    worst: Decimal
    complete: bool
