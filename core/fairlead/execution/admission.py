"""Say what a plan may cost at most before it begins: its worst price, and whether it is there."""

from __future__ import annotations

from decimal import Decimal

from fairlead.api import Denied, MarketLook, Refused
from fairlead.model import ONE, ZERO, Instrument, InstrumentKind, Side, trimmed

__all__ = ["affordable", "portion", "price_bound", "refusal_text", "smaller"]


def price_bound(side: Side, mid: Decimal, slippage: Decimal, bound: Decimal | None) -> Decimal:
    """Give the tighter of ``bound`` and the price that is ``slippage`` (a share) beyond the mid."""
    away = mid * (ONE + side.sign * slippage)
    if bound is None:
        return away
    return min(away, bound) if side is Side.BUY else max(away, bound)


def affordable(look: MarketLook, side: Side, quantity: Decimal, price: Decimal) -> Denied | None:
    """Refuse what the account could not pay for or deliver; contracts are judged by margin rules.

    A taker's fee in quote currency is part of what a buy costs.
    """
    instrument = look.instrument
    if instrument.kind is not InstrumentKind.SPOT:
        return None
    if side is Side.BUY:
        need = instrument.notional(price, quantity) * (ONE + max(instrument.fees.taker, ZERO))
        asset, have = instrument.quote, look.quote.available
    else:
        need, asset, have = quantity, instrument.base, look.base.available
    if need <= have:
        return None
    return Denied("balance", trimmed(need), trimmed(have), f"not enough {asset}")


def refusal_text(refused: Refused) -> str:
    """Say for the record which stage and rule refused an order, with both figures."""
    denied = refused.denied
    observed, limit = (
        trimmed(figure) if isinstance(figure, Decimal) else figure
        for figure in (denied.observed, denied.limit)
    )
    return f"{refused.stage}: {denied.rule} {observed}, limit {limit}"


def portion(left: Decimal, most: Decimal | None, look: MarketLook) -> Decimal:
    """Give what the next order takes of ``left``: all of it, or ``most``, a limit of size.

    Where that would leave a rest that no venue takes as an order, two even orders are made of it.
    """
    if most is None or left <= most:
        return left
    instrument = look.instrument
    price = look.mark if look.book is None else look.book.mid
    if price is None or instrument.below_minimum(price, left - most) is None:
        return most
    half = instrument.round_quantity(left / 2)
    return most if instrument.below_minimum(price, half) is not None else min(half, most)


def smaller(refused: Refused, instrument: Instrument, most: Decimal | None) -> Decimal | None:
    """Give the largest order to try after a refusal; None = any. ``most`` held before.

    Half of what was refused, where risk refused a figure beyond its limit: a limit of size makes
    orders smaller, not impossible. Below the venue's minimum it begins anew with any.
    """
    place, denied = refused.place, refused.denied
    if refused.stage != "risk" or not isinstance(denied.observed, Decimal):
        return most
    half = instrument.round_quantity(place.quantity / 2)
    return half if instrument.below_minimum(place.price, half) is None else None
