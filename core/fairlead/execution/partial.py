"""Handle legs that did not fill alike: take the rest away, count what is open, report it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal

import msgspec

from fairlead.api import Cancel, OrderView, PlanView
from fairlead.api.plans.partial import MendedLeg, PartialFillReport, PartialLeg
from fairlead.execution.unwind import Spent
from fairlead.model import ONE, ZERO, MarketId, OrderState, Side

__all__ = ["PairedLeg", "cancel_rest", "matched_share", "missing_quantity", "partial_fill_report"]

# What comes from a division is told with so many digits.
_DIGITS = Context(prec=16)


class PairedLeg(msgspec.Struct, frozen=True, gc=False):
    """One of several legs that belong together, as it was admitted."""

    market: MarketId
    side: Side
    #: Base units or contracts.
    quantity: Decimal
    #: The worst price of its own orders, quote currency.
    bound: Decimal
    #: What it was expected to trade at on average.
    expected: Decimal


def cancel_rest(orders: Sequence[OrderView], reason: str) -> tuple[Cancel, ...]:
    """Take away what may still fill; what is leaving already is left alone.

    What has not left yet has no id: it is cancelled when it shows.
    """
    return tuple(
        Cancel(order.client_id, reason)
        for order in orders
        if order.client_id and order.state is not OrderState.PENDING_CANCEL
    )


def missing_quantity(leg: PairedLeg, view: PlanView) -> Decimal:
    """Give what a leg still lacks, in base units or contracts; never below zero."""
    return max(leg.quantity - leg.side.sign * view.exposure(leg.market), ZERO)


def matched_share(legs: Sequence[PairedLeg], view: PlanView) -> Decimal:
    """Give the part of the plan that every leg has done, from 0 to 1."""
    shares = [
        min(max(leg.side.sign * view.exposure(leg.market), ZERO) / leg.quantity, ONE)
        for leg in legs
    ]
    return min(shares)


def partial_fill_report(
    legs: Sequence[PairedLeg],
    spent: Sequence[Spent],
    left: Sequence[tuple[MarketId, Decimal]],
    view: PlanView,
    *,
    cause: str,
    policy: str,
) -> PartialFillReport:
    """Write down what happened, at what prices, and what it cost."""
    loss: dict[str, Decimal] = {}
    mended: list[MendedLeg] = []
    for one in spent:
        currency = view.market(one.market).instrument.quote
        loss[currency] = _DIGITS.plus(loss.get(currency, ZERO) + one.loss)
        mended.append(
            MendedLeg(
                market=str(one.market),
                side=one.side,
                quantity=one.quantity,
                average=_DIGITS.plus(one.average),
                reference=_DIGITS.plus(one.reference),
                loss=_DIGITS.plus(one.loss),
                currency=currency,
            )
        )
    first_ns = view.done().first_ns
    return PartialFillReport(
        cause=cause,
        policy=policy,
        legs=tuple(_entered(leg, view) for leg in legs),
        mended=tuple(mended),
        loss=loss,
        left={str(market): quantity for market, quantity in left},
        from_ns=view.now_ns if first_ns is None else first_ns,
        until_ns=view.now_ns,
    )


def _entered(leg: PairedLeg, view: PlanView) -> PartialLeg:
    done = view.done(leg.market, leg.side, 0)
    average = None if done.average is None else _DIGITS.plus(done.average)
    return PartialLeg(str(leg.market), leg.side, leg.quantity, done.quantity, average)
