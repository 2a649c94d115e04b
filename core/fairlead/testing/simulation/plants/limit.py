"""Keep no limit: of orders, of positions, of a venue's patience."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fairlead.api import Allowed, MarketRisk, Verdict
from fairlead.kernel.cast import Cast
from fairlead.model import MarketId, Outcome, Unknown
from fairlead.pipeline import Lane, RiskGate, Throttle, gateway, risk, throttle
from fairlead.testing.simulation.plants.plant import Mutation, Plant

__all__ = ["LIMIT_PLANTS"]


def _without(rule: str) -> Mutation:
    def make(right: Callable[..., Verdict]) -> Callable[..., Verdict]:
        def verdict(self: RiskGate, one: Any, *what: Any) -> Verdict:  # noqa: ANN401 - as the right one
            return Allowed() if one.name == rule else right(self, one, *what)

        return verdict

    return Mutation(RiskGate, "_verdict", make)


def _none_working(right: Callable[..., Any]) -> Callable[..., Any]:
    def reduce_only(intent: Any, market: MarketRisk, posture: Any) -> Any:  # noqa: ANN401 - as the right one
        return right(intent, replace(market, orders=()), posture)

    return reduce_only


def _of_those_who_told(right: Callable[..., Any]) -> Callable[..., Any]:
    def target(self: Cast, market: MarketId) -> Decimal | None:
        told: Decimal | None = right(self, market)
        return self._desk.position(market) if told is None else told

    return target


def _nobody_is_asked(right: Callable[..., None]) -> Callable[..., None]:
    return lambda self, tick: None


def _lost_is_refused(right: Callable[[Outcome], bool]) -> Callable[[Outcome], bool]:
    return lambda outcome: isinstance(outcome, Unknown) or right(outcome)


def _no_limits(right: Callable[..., None]) -> Callable[..., None]:
    return lambda self, limits: right(self, ())


def _no_reserve(right: Mapping[Lane, int]) -> Mapping[Lane, int]:
    return dict.fromkeys(right, 100)


LIMIT_PLANTS = (
    Plant(
        "lost_batch_goes_alone",
        "the orders of a batch whose answer is lost are sent again, one by one",
        (Mutation(gateway, "_is_whole", _lost_is_refused),),
    ),
    Plant(
        "weight_uncounted",
        "requests leave without a look at what the venue takes in a time",
        (Mutation(Throttle, "bind", _no_limits),),
    ),
    Plant(
        "cancels_without_reserve",
        "quotes may use all of a venue's limit, and cancels wait for room",
        (Mutation(throttle, "_PERCENT", _no_reserve),),
    ),
    Plant(
        "reduced_twice",
        "what already reduces a position is not counted where orders may only reduce",
        (Mutation(risk, "_reduce_only", _none_working),),
    ),
    Plant(
        "order_size_unchecked",
        "an order of any size is sent",
        (_without("max_order"),),
    ),
    Plant(
        "position_unchecked",
        "an order is sent wherever the position may come by it",
        (_without("max_position"),),
    ),
    Plant(
        "target_guessed",
        "what is held counts as the target until every strategy of a market has told its own",
        (
            Mutation(Cast, "target", _of_those_who_told),
            Mutation(Cast, "_ask_targets", _nobody_is_asked),
        ),
    ),
    Plant(
        "open_orders_uncounted",
        "any number of orders is live",
        (_without("max_open_orders"),),
    ),
    Plant(
        "price_band_unchecked",
        "an order is sent however far from the mid",
        (_without("price_band"),),
    ),
    Plant(
        "own_orders_met",
        "an order is sent although it would trade with one of our own",
        (_without("self_trade"),),
    ),
)
