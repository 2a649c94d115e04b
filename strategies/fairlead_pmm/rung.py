"""Carry one level through the stages: its price, its quantity, and why they are what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from fairlead.api import Gate
from fairlead.model import ZERO, Instrument, Quote, Reason, Side, floor_to

__all__ = ["Rung", "cut", "merge"]


@dataclass(slots=True, eq=False)
class Rung:
    """A level being made. Every change is written down with the value before and after."""

    side: Side
    level: int
    price: Decimal = ZERO
    quantity: Decimal = ZERO
    reasons: list[Reason] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name the level: ``BUY 0``."""
        return f"{self.side} {self.level}"

    def begin(self, price: Decimal, detail: str) -> None:
        """Start the chain of the price at the reference."""
        self.reasons.append(Reason("reference", "price", None, price, detail))
        self.price = price

    def size(self, quantity: Decimal, detail: str) -> None:
        """Start the chain of the quantity at the configured size."""
        self.reasons.append(Reason("order size", "quantity", None, quantity, detail))
        self.quantity = quantity

    def move(self, stage: str, price: Decimal, detail: str = "") -> None:
        """Change the price."""
        self.reasons.append(Reason(stage, "price", self.price, price, detail))
        self.price = price

    def resize(self, stage: str, quantity: Decimal, detail: str = "") -> None:
        """Change the quantity."""
        self.reasons.append(Reason(stage, "quantity", self.quantity, quantity, detail))
        self.quantity = quantity

    def round(self, instrument: Instrument) -> None:
        """Round onto the grid and down to the lot; writes down only what that changes."""
        price = instrument.round_price(self.price, self.side)
        quantity = instrument.round_quantity(self.quantity)
        if price != self.price:
            self.move("round", price, "onto the price grid")
        if quantity != self.quantity:
            self.resize("round", quantity, f"to the lot {instrument.lot}")

    def quote(self, reference: Decimal) -> Quote:
        """Give the finished quote."""
        return Quote(
            self.side, self.level, self.price, self.quantity, reference, tuple(self.reasons)
        )


def merge(rungs: Sequence[Rung], least: Decimal, stage: str, gates: list[Gate]) -> tuple[Rung, ...]:
    """Merge each level below ``least`` into the next one outward, best level first.

    What is left over at the outermost level takes the last sufficient level with it, outward
    too: nothing of a side is lost while the side as a whole reaches ``least``, so a smaller
    size never ends as a larger sum. Else the whole side is dropped. Adds a gate for each level
    that is not quoted.
    """
    kept: list[Rung] = []
    carried = ZERO
    for rung in rungs:
        total = rung.quantity + carried
        if total < least:
            carried = total
            continue
        if carried:
            rung.resize(stage, total, f"with {carried} from nearer levels below {least}")
        kept.append(rung)
        carried = ZERO
    if carried and kept:
        last, outermost = kept.pop(), rungs[-1]
        total = last.quantity + carried
        outermost.resize(stage, total, f"with {total - outermost.quantity} from nearer levels")
        kept.append(outermost)
    for rung in rungs:
        if rung not in kept:
            fate = "merged outward" if kept else f"so is the side's sum of {carried}: dropped"
            short = f"quantity {rung.quantity} below the minimum {least}"
            gates.append(Gate(stage, f"{rung.name}: {short}; {fate}"))
    return tuple(kept)


def cut(rungs: Sequence[Rung], most: Decimal, lot: Decimal, detail: str) -> None:
    """Cut the levels in proportion to the sum ``most``, a multiple of ``lot`` below their sum."""
    total = sum((rung.quantity for rung in rungs), start=ZERO)
    before = after = ZERO
    for rung in rungs:
        # Rounded as a running sum, so that the parts add up to the whole.
        before += rung.quantity
        upto = floor_to(before * most / total, lot)
        rung.resize("budget", upto - after, detail)
        after = upto
