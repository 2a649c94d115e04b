"""Split what a strategy earned: spread, inventory, holding, fees, funding, other.

At a fill with side s = ±1, quantity x, price p and the mark m in force before it, k the contract
size: ``spread += s·x·k·(m − p)``. Between marks ``holding += target·k·Δm`` and
``inventory += (q − target)·k·Δm``. Position and target stand still between events, so the sum of
Δm over any number of marks is the last minus the first: marks cost nothing until something else
happens, and nothing is divided, so the parts add up to the change of equity exactly.

Source: TRADING, PnL and equity (docs/reference/money-words.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fairlead.ledger.arithmetic import exactly
from fairlead.model import ONE, ZERO, Side

__all__ = ["BookedFill", "PnlBook", "PnlParts"]


@dataclass(frozen=True, slots=True)
class PnlParts:
    """The parts of a profit or loss in the engine's currency, each signed."""

    spread: Decimal = ZERO
    inventory: Decimal = ZERO
    holding: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    other: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Give the sum of the parts."""
        with exactly():
            return (
                self.spread + self.inventory + self.holding + self.fees + self.funding + self.other
            )

    @property
    def trading(self) -> Decimal:
        """Give the total without the price moves of the target inventory."""
        with exactly():
            return self.total - self.holding

    def __add__(self, more: PnlParts) -> PnlParts:
        with exactly():
            return PnlParts(
                self.spread + more.spread,
                self.inventory + more.inventory,
                self.holding + more.holding,
                self.fees + more.fees,
                self.funding + more.funding,
                self.other + more.other,
            )


@dataclass(frozen=True, slots=True)
class BookedFill:
    """What a fill did: the mark it was measured against, and the spread it captured.

    ``mark`` None = no valid mark was known; then ``spread`` is zero. ``edge`` is the part of the
    spread that the quote's own reference promised; None when it had none.
    """

    mark: Decimal | None
    spread: Decimal
    edge: Decimal | None

    @property
    def staleness(self) -> Decimal | None:
        """Give the rest of the spread: how far the market had moved away from the reference."""
        if self.edge is None:
            return None
        with exactly():
            return self.spread - self.edge


class PnlBook:
    """The profit and loss of one strategy on one market, all in the engine's currency.

    Prices, marks and references that come in are already converted to that currency. Quantities
    are base units, or contracts of ``multiplier`` base units.
    """

    __slots__ = ("_marked", "_multiplier", "_parts", "edge", "edged", "mark", "quantity", "target")

    def __init__(
        self, *, quantity: Decimal = ZERO, target: Decimal = ZERO, multiplier: Decimal = ONE
    ) -> None:
        self._multiplier = multiplier
        self._parts = PnlParts()
        #: The mark up to which the parts are booked.
        self._marked: Decimal | None = None
        #: The mark in force; None before the first.
        self.mark: Decimal | None = None
        #: The position, signed.
        self.quantity = quantity
        #: The inventory that the strategy steers to.
        self.target = target
        #: The quoted edge of all fills that had a reference, and the spread of the same fills.
        self.edge = ZERO
        self.edged = ZERO

    @property
    def value(self) -> Decimal | None:
        """Give position x mark; None before the first mark."""
        if self.mark is None:
            return None
        with exactly():
            return self.quantity * self._multiplier * self.mark

    @property
    def parts(self) -> PnlParts:
        """Give all parts up to the mark in force."""
        self._settle()
        return self._parts

    def on_mark(self, mark: Decimal) -> None:
        """Put a new mark in force; cheap, books nothing yet."""
        self.mark = mark
        if self._marked is None:
            self._marked = mark

    def on_target(self, target: Decimal) -> None:
        """Change the target inventory as of the mark in force."""
        self._settle()
        self.target = target

    def on_fill(
        self, side: Side, quantity: Decimal, price: Decimal, reference: Decimal | None = None
    ) -> BookedFill:
        """Book a fill against the mark in force before it, taker fills included."""
        self._settle()
        with exactly():
            signed = side.sign * quantity
            self.quantity += signed
            if self.mark is None:
                return BookedFill(None, ZERO, None)
            size = signed * self._multiplier
            spread = size * (self.mark - price)
            self._add(spread=spread)
            edge = None
            if reference is not None:
                edge = size * (reference - price)
                self.edge += edge
                self.edged += spread
            return BookedFill(self.mark, spread, edge)

    def on_fee(self, amount: Decimal, rate: Decimal, *, in_base: bool) -> Decimal:
        """Book a fee (a rebate is negative) of an asset worth ``rate``; gives its value.

        A fee in the base asset also shrinks the position.
        """
        if in_base:
            self.move(-amount)
        with exactly():
            value = amount * rate
            self._add(fees=-value)
        return value

    def on_funding(self, value: Decimal) -> None:
        """Book a funding payment: positive when received."""
        self._add(funding=value)

    def on_other(self, value: Decimal) -> None:
        """Book the change in value of an asset that no strategy trades."""
        self._add(other=value)

    def move(self, quantity: Decimal) -> None:
        """Change the position without a trade of this book: a transfer, or another's leg."""
        self._settle()
        with exactly():
            self.quantity += quantity

    def _settle(self) -> None:
        if self.mark is None or self._marked is None or self.mark == self._marked:
            return
        with exactly():
            change = (self.mark - self._marked) * self._multiplier
            self._marked = self.mark
            holding = self.target * change
            self._add(holding=holding, inventory=self.quantity * change - holding)

    def _add(
        self,
        *,
        spread: Decimal = ZERO,
        inventory: Decimal = ZERO,
        holding: Decimal = ZERO,
        fees: Decimal = ZERO,
        funding: Decimal = ZERO,
        other: Decimal = ZERO,
    ) -> None:
        self._parts += PnlParts(spread, inventory, holding, fees, funding, other)
