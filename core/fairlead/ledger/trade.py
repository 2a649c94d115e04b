"""Tell what each trade came to: orders that brought a position closer to its target.

One final order whose fills reduced |gap| is one trade. Its result is what its closing fills
realised at average cost, less their share of the fees of entry and exit; a flip counts its
closing part. Gap = position - target: it opens at a fill, or at the mark where the target moves
or the account brings it along.

Source: TRADING, Risk (docs/reference/money-words.md).
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal

from fairlead.ledger.cost import CostBook
from fairlead.model import ONE, ZERO, Side

__all__ = ["TradeBook"]

# Orders whose end never came; far more than can be live.
_MOST_OPEN = 5_000


class TradeBook:
    """The trades of one strategy; prices and fees in the engine's currency."""

    def __init__(self, *, multiplier: Decimal = ONE) -> None:
        self._cost = CostBook(multiplier=multiplier)
        self._fees = ZERO
        self._trades: OrderedDict[str, Decimal] = OrderedDict()

    @property
    def gap(self) -> Decimal:
        """Give position - target as it is booked here."""
        return self._cost.quantity

    def aim(self, gap: Decimal, mark: Decimal) -> None:
        """Let the gap be this, without a trade: the target or the account moved."""
        held = self._cost.quantity
        if gap == held:
            return
        if gap * held > 0 and abs(gap) < abs(held):
            self._fees *= gap / held
        elif gap * held <= 0:
            self._fees = ZERO
        self._cost.move(gap - held, mark)

    def on_fill(
        self, order: str, side: Side, quantity: Decimal, price: Decimal, fee: Decimal
    ) -> None:
        """Book a fill and its fee."""
        held = self._cost.quantity
        closing = ZERO
        if held * side.sign < 0:
            closing = min(quantity, abs(held))
        result = self._cost.on_fill(side, quantity, price)
        if closing:
            entry = self._fees * closing / abs(held)
            self._fees -= entry
            result -= entry + fee * closing / quantity
            self._trades[order] = self._trades.get(order, ZERO) + result
            if len(self._trades) > _MOST_OPEN:
                self._trades.popitem(last=False)
        self._fees += fee * (quantity - closing) / quantity

    def on_final(self, order: str) -> Decimal | None:
        """Give the result of an order that can no longer fill; None = it closed nothing."""
        return self._trades.pop(order, None)
