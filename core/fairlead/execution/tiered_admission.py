"""Decide how a `TieredPlan` is worked, once, and hold what it remembers from then on."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from fairlead.api import Admitted, Denied, Leg, MarketLook
from fairlead.api.plans import TieredMode, TieredPlan
from fairlead.execution.admission import affordable, price_bound
from fairlead.execution.liquidity import Liquidity, LiquidityLimits, Recommendation, analyze
from fairlead.model import ZERO, trimmed

__all__ = ["TieredPhase", "TieredState", "admit_tiered"]


class TieredPhase(StrEnum):
    """What it is doing."""

    RESTING = "resting"
    TAKING = "taking"
    #: Nothing more is placed; what lives is cancelled until it is proven gone.
    CLOSING = "closing"


class TieredState(msgspec.Struct, frozen=True):
    """What it remembers between steps; what was filled is not here."""

    #: One of the fixed modes: an adaptive plan decided at admission.
    mode: TieredMode
    phase: TieredPhase
    quantity: Decimal
    bound: Decimal
    recommendation: str
    #: True: no order is larger than what the book offers within the plan's ``high_slippage``.
    sliced: bool
    #: When the phase is over; 0 = it begins with the first step.
    until_ns: int = 0
    #: What was filled when this round of resting (and taking) began.
    round_from: Decimal = ZERO
    requotes: int = 0
    #: The price that was refused last: it is not tried again before the next tick.
    refused_price: Decimal | None = None
    refused_ns: int = 0
    #: No order is larger, since a limit of size was in the way; None = any size.
    most: Decimal | None = None
    #: When it took last; 0 = not yet.
    taken_ns: int = 0
    #: Since when nothing was offered within the bound; None = something was.
    empty_ns: int | None = None
    #: Why it closes; "" while it goes on.
    end: str = ""
    #: The last refusal of one of its orders, for the record.
    refusal: str = ""

    def closing(self, end: str) -> TieredState:
        """Give the state in which nothing more is placed; the first reason counts."""
        if self.end:
            return self
        return msgspec.structs.replace(self, phase=TieredPhase.CLOSING, end=end)

    def notes(self, left: Decimal) -> tuple[tuple[str, str], ...]:
        """Say for the record how it was worked; ``left`` was not filled."""
        texts = {
            "mode": self.mode.value,
            "recommendation": self.recommendation,
            "requotes": str(self.requotes),
            "unfilled": trimmed(left) if left > ZERO else "",
            "refusal": self.refusal,
        }
        return tuple((name, text) for name, text in texts.items() if text)


def admit_tiered(plan: TieredPlan, look: MarketLook) -> Admitted[TieredState] | Denied:
    """Ask for the whole quantity within the bound, or say why the book does not bear it."""
    if look.book is None:
        return Denied("book", "invalid", "valid", f"{plan.market} has no valid book")
    instrument = look.instrument
    bound = price_bound(plan.side, look.book.mid, plan.max_slippage.value, plan.bound)
    bound = instrument.round_price(bound, plan.side)
    quantity = instrument.round_quantity(plan.quantity)
    short = instrument.below_minimum(bound, quantity)
    if short is not None:
        return Denied("minimum", trimmed(quantity), trimmed(instrument.min_quantity), short)
    limits = LiquidityLimits(plan.acceptable_slippage.value, plan.high_slippage.value)
    seen = analyze(look.book, instrument, plan.side, quantity, limits)
    mode, sliced = _chosen(plan, seen)
    if mode is None:
        return Denied(
            "liquidity",
            trimmed(seen.available),
            trimmed(quantity),
            f"{plan.market} holds too little; slice = true would go piece by piece",
        )
    denied = affordable(look, plan.side, quantity, bound)
    if denied is not None:
        return denied
    taking = mode is TieredMode.MARKET_ONLY
    state = TieredState(
        mode=mode,
        phase=TieredPhase.TAKING if taking else TieredPhase.RESTING,
        quantity=quantity,
        bound=bound,
        recommendation=seen.recommendation.value,
        sliced=sliced,
    )
    return Admitted(state, (Leg(plan.market, plan.side, quantity, bound, seen.average),))


def _chosen(plan: TieredPlan, seen: Liquidity) -> tuple[TieredMode | None, bool]:
    if plan.mode is not TieredMode.ADAPTIVE:
        return plan.mode, False
    match seen.recommendation:
        case Recommendation.MARKET_ACCEPTABLE if plan.urgent:
            return TieredMode.MARKET_ONLY, False
        case Recommendation.MARKET_ACCEPTABLE | Recommendation.USE_LIMIT:
            return TieredMode.LIMIT_WITH_FALLBACK, False
        case Recommendation.HIGH_SLIPPAGE:
            return TieredMode.LIMIT_ONLY, False
        case Recommendation.INSUFFICIENT_DEPTH:
            return (TieredMode.LIMIT_WITH_FALLBACK, True) if plan.slice else (None, False)
