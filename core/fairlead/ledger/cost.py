"""Tell realised from unrealised at average cost: a second view, never added to the first."""

from __future__ import annotations

from decimal import Decimal

from fairlead.model import ONE, ZERO, Side

__all__ = ["CostBook"]


class CostBook:
    """Average cost of one position. Divides, so its figures are rounded to 40 digits.

    The cost of what a spot account already holds starts at the first mark.
    """

    __slots__ = ("_multiplier", "average", "quantity", "realised")

    def __init__(self, *, multiplier: Decimal = ONE) -> None:
        self._multiplier = multiplier
        #: The position, signed.
        self.quantity = ZERO
        #: What one unit cost on average; zero when flat.
        self.average = ZERO
        #: The result of what was closed, before fees.
        self.realised = ZERO

    def on_fill(self, side: Side, quantity: Decimal, price: Decimal) -> Decimal:
        """Book a trade and give the result of its closing part; a flip closes, then opens."""
        signed = side.sign * quantity
        closing = ZERO
        if self.quantity * signed < 0:
            closing = min(quantity, abs(self.quantity))
        result = -side.sign * closing * (price - self.average) * self._multiplier
        opening = quantity - closing
        after = self.quantity + signed
        if opening:
            kept = ZERO if closing else abs(self.quantity)
            self.average = (self.average * kept + price * opening) / (kept + opening)
        elif after == 0:
            self.average = ZERO
        self.quantity = after
        self.realised += result
        return result

    def move(self, quantity: Decimal, price: Decimal) -> None:
        """Take in (positive) at ``price`` or give away at average cost, without a result."""
        after = self.quantity + quantity
        if quantity * self.quantity >= 0 and after:
            self.average = (self.average * self.quantity + price * quantity) / after
        elif after * self.quantity <= 0:
            self.average = price if after else ZERO
        self.quantity = after

    def unrealised(self, mark: Decimal) -> Decimal:
        """Give what closing everything at ``mark`` would realise, before fees."""
        return self.quantity * (mark - self.average) * self._multiplier
