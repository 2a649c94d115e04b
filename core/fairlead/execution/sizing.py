"""Turn an amount of money into a quantity that the venue takes, and back; never past a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import Amount, BookView, Denied
from fairlead.model import ONE, ZERO, Instrument, Side, trimmed

__all__ = ["Rate", "Sized", "size_for", "taking_price", "value_of"]

#: Gives one common currency per unit of an asset; None = no mark path.
Rate = Callable[[str], Decimal | None]


@dataclass(frozen=True, slots=True)
class Sized:
    """A quantity within a budget."""

    #: Base units or contracts, a multiple of the lot, at least the venue's minimum.
    quantity: Decimal
    #: The price that it was sized at.
    price: Decimal
    #: What it costs there in quote currency, the fee included.
    cost: Decimal


def taking_price(book: BookView, side: Side) -> Decimal:
    """Give the price at which a size of that side is judged: a buy's is the best ask."""
    return book.best_ask.price if side is Side.BUY else book.best_bid.price


def size_for(
    budget: Amount,
    instrument: Instrument,
    price: Decimal,
    rate: Rate,
    *,
    fee: Decimal = ZERO,
) -> Sized | Denied:
    """Give the largest quantity that ``budget`` pays for at ``price``.

    A budget in base is a quantity; one in quote, or in any other asset with a mark path, is what
    it may cost. ``fee`` (a share of notional, a rebate counts as none) is part of the cost. What
    stays below a minimum is denied: it is never rounded up.
    """
    if price <= ZERO:
        return Denied("price", price, ZERO, "no price to size at")
    fee = max(fee, ZERO)
    unit = instrument.notional(price, ONE) * (ONE + fee)
    if budget.asset == instrument.base:
        most = budget.value / instrument.multiplier
        limit = None
    else:
        limit = _in_quote(budget, instrument, rate)
        if limit is None:
            return Denied("mark", budget.asset, instrument.quote, "no mark path between them")
        most = limit / unit
    quantity = instrument.round_quantity(most)
    while quantity > ZERO and _past(quantity, budget, limit, unit, instrument):
        quantity -= instrument.lot  # the division was rounded up in its last digit
    short = instrument.below_minimum(price, quantity)
    if short is not None:
        return Denied("minimum", trimmed(quantity), str(budget), short)
    return Sized(quantity, price, quantity * unit)


def value_of(
    quantity: Decimal, asset: str, instrument: Instrument, price: Decimal, rate: Rate
) -> Decimal | None:
    """Give what ``quantity`` (base units or contracts) is worth in ``asset`` at ``price``.

    None without a mark path from the quote currency.
    """
    if asset == instrument.base:
        return quantity * instrument.multiplier
    value = instrument.notional(price, quantity)
    if asset == instrument.quote:
        return value
    per_quote, per_asset = rate(instrument.quote), rate(asset)
    return None if per_quote is None or not per_asset else value * per_quote / per_asset


def _in_quote(budget: Amount, instrument: Instrument, rate: Rate) -> Decimal | None:
    if budget.asset == instrument.quote:
        return budget.value
    per_quote, per_asset = rate(instrument.quote), rate(budget.asset)
    return None if per_asset is None or not per_quote else budget.value * per_asset / per_quote


def _past(
    quantity: Decimal, budget: Amount, limit: Decimal | None, unit: Decimal, instrument: Instrument
) -> bool:
    if limit is None:
        return quantity * instrument.multiplier > budget.value
    return quantity * unit > limit
