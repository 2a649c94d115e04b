"""Find the price of a maker order: where it was asked to be, never crossing, never past a bound."""

from __future__ import annotations

from decimal import Decimal

from fairlead.api import BookView, OrderView
from fairlead.api.plans import MakerPrice
from fairlead.model import ZERO, Instrument, Side

__all__ = ["at_distance", "has_drifted", "maker_price", "rest_at"]


def maker_price(
    choice: MakerPrice, side: Side, book: BookView, instrument: Instrument, bound: Decimal
) -> Decimal | None:
    """Give a price on the grid that rests on this book; None when there is none."""
    own, other = _sides(book, side)
    step = instrument.grid.step_at(own)
    match choice:
        case MakerPrice.JOIN:
            price = own
        case MakerPrice.IMPROVE:
            price = own + side.sign * step
        case MakerPrice.INSIDE:
            price = max(own * side.sign, (other - side.sign * step) * side.sign) * side.sign
    rounded = instrument.round_price(price, side)
    if choice is not MakerPrice.JOIN and side.sign * rounded >= side.sign * other:
        rounded = instrument.round_price(own, side)
    return _held(rounded, side, other, instrument, bound)


def at_distance(
    distance: Decimal, side: Side, book: BookView, instrument: Instrument, bound: Decimal
) -> Decimal | None:
    """Give a price ``distance`` (a share of the mid) behind the mid, under the same conditions."""
    return rest_at(book.mid * (1 - side.sign * distance), side, book, instrument, bound)


def rest_at(
    price: Decimal, side: Side, book: BookView, instrument: Instrument, bound: Decimal
) -> Decimal | None:
    """Give ``price`` on the grid, or the nearest one that does not cross; None = there is none."""
    other = _sides(book, side)[1]
    rounded = instrument.round_price(price, side)
    if side.sign * rounded >= side.sign * other:
        step = instrument.grid.step_at(other)
        rounded = instrument.round_price(other - side.sign * step, side)
    return _held(rounded, side, other, instrument, bound)


def has_drifted(order: OrderView, price: Decimal, within: Decimal) -> bool:
    """Tell whether an order is further than ``within`` (a share) from where it should be."""
    return abs(order.price - price) > within * price


def _sides(book: BookView, side: Side) -> tuple[Decimal, Decimal]:
    bid, ask = book.best_bid.price, book.best_ask.price
    return (bid, ask) if side is Side.BUY else (ask, bid)


def _held(
    price: Decimal, side: Side, other: Decimal, instrument: Instrument, bound: Decimal
) -> Decimal | None:
    limit = instrument.round_price(bound, side)
    if side.sign * price > side.sign * limit:
        price = limit
    if price <= ZERO or side.sign * price >= side.sign * other:
        return None
    return price
