"""Refuse what cannot be traded before any of it is sent: the checks that several plans share.

``name`` is the plan's kind; it stands before the rule's name in what is denied.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fairlead.api import Denied, ExecutorContext, MarketLook
from fairlead.execution.partial import PairedLeg
from fairlead.model import ONE, ZERO, InstrumentKind, MarketId, Side

__all__ = ["large_enough", "matching_markets", "payable"]


def matching_markets(
    name: str, markets: Sequence[MarketId], context: ExecutorContext
) -> Denied | None:
    """Refuse markets that are unknown, inverse or of another base asset than the first."""
    base = ""
    for market in markets:
        instrument = context.instruments.get(market)
        if instrument is None:
            return Denied(f"{name}_market", str(market), "a configured market", "unknown market")
        if instrument.inverse:
            return Denied(f"{name}_inverse", str(market), "a linear contract", f"{market}: inverse")
        base = base or instrument.base
        if instrument.base != base:
            return Denied(f"{name}_base", instrument.base, base, f"{market}: another base asset")
    return None


def large_enough(name: str, leg: PairedLeg, look: MarketLook) -> Denied | None:
    """Refuse a leg that is below its market's minimum quantity or notional at its bound."""
    instrument, quantity = look.instrument, leg.quantity
    short = instrument.below_minimum(leg.bound, quantity)
    if short is None:
        return None
    by_quantity = quantity <= 0 or quantity < instrument.min_quantity
    return Denied(
        f"{name}_minimum",
        quantity if by_quantity else instrument.notional(leg.bound, quantity),
        (instrument.min_quantity or instrument.lot) if by_quantity else instrument.min_notional,
        f"{leg.market}: {short}",
    )


def payable(
    name: str, leg: PairedLeg, look: MarketLook, needs: dict[tuple[str, str], Decimal]
) -> Denied | None:
    """Refuse a spot leg that the account cannot pay at its bound; ``needs`` adds up by account.

    The margin of contracts is for risk rules to judge.
    """
    instrument = look.instrument
    if instrument.kind is not InstrumentKind.SPOT:
        return None
    if leg.side is Side.BUY:
        asset, balance = instrument.quote, look.quote
        share = ONE + max(instrument.fees.taker, ZERO)
        need = instrument.notional(leg.bound, leg.quantity) * share
    else:
        asset, balance = instrument.base, look.base
        need = leg.quantity * instrument.multiplier
    key = (leg.market.venue, asset)
    needs[key] = needs.get(key, ZERO) + need
    if needs[key] > balance.available:
        detail = f"{leg.market}: not enough {asset}"
        return Denied(f"{name}_balance", needs[key], balance.available, detail)
    return None
