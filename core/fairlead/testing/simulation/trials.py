"""Start plans of every kind as a strategy would, so that bad luck strikes while they are worked.

What is drawn comes from what the strategy sees, its market's best prices and the time: it stays
pure, and each seed, whose market moves its own way, tries something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from fairlead.api import (
    ControllerContext,
    Decision,
    Duration,
    Market,
    Plan,
    Quantity,
    QuotesConfig,
    Registry,
    Start,
    View,
)
from fairlead.api.plans import AtomicPlan, PositionPlan, TieredPlan, TwapPlan, XemmPlan
from fairlead.kernel import SeededIds
from fairlead.model import MarketId, Side, trimmed

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["TRIALS", "TrialsConfig", "TrialsController", "TrialsMemory", "offer_trials"]

#: The name under which a strategy table asks for it.
TRIALS = "trials"
_SECOND = 1_000_000_000
_ALONE = ("tiered", "tiered", "twap", "position", "position")
_TOGETHER = ("atomic", "atomic", "atomic", "xemm", "xemm")
_STOPPED = 0.05


class TrialsConfig(BaseModel):
    """The strategy's own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    other: Market | None = Field(
        None, description="a second market, for plans that need two; none: only plans of one"
    )
    target: Quantity = Field(
        Decimal(0), description="the part of the position on its market that is its own"
    )
    sizes: tuple[int, int] = Field(
        (20, 400), description="from and to how much a plan is to trade, in base units"
    )
    pause: Duration = Field(
        Duration.parse("30 s"), description="how long it waits at the most before it starts another"
    )
    most: int = Field(2, ge=1, description="how many plans of it run at once")


class TrialsMemory(msgspec.Struct, frozen=True):
    """What it remembers: the number of the last plan, and when the next may begin."""

    count: int = 0
    next_ns: int = 0


class TrialsController:
    """Starts plans with drawn parameters, and stops some; quotes nothing."""

    def __init__(self, config: TrialsConfig, context: ControllerContext) -> None:
        self._config = config
        self._market = context.instrument.market
        self._strategy = context.strategy

    @property
    def plan(self) -> QuotesConfig:
        """Say how its quotes would be worked."""
        return QuotesConfig()

    def initial(self) -> TrialsMemory:
        """Begin without a plan."""
        return TrialsMemory()

    def decide(self, view: View, memory: TrialsMemory) -> Decision[TrialsMemory]:
        """Start a plan, or stop one, or wait."""
        target = self._config.target
        running = [one.name for one in view.executions if one.result is None]
        if view.book is None or view.now_ns < memory.next_ns:
            return Decision(memory, (), target=target)
        draw = self._random(view)
        if running and draw.random() < _STOPPED:
            return Decision(memory, (), target=target, stop=(draw.choice(running),))
        if len(running) >= self._config.most:
            return Decision(memory, (), target=target)
        # By time, so that no plan of a run before has its name.
        kind = draw.choice(_ALONE if self._config.other is None else _ALONE + _TOGETHER)
        start = Start(f"{kind}_{view.now_ns // _SECOND}", kind, self._plan(kind, view, draw))
        memory = TrialsMemory(
            memory.count + 1, view.now_ns + int(draw.random() * self._config.pause.ns)
        )
        return Decision(memory, (), target=target, start=(start,))

    def _random(self, view: View) -> Random:
        if view.book is None:
            return SeededIds(0).random(self._strategy)
        seen = (view.book.best_bid, view.book.best_ask, view.now_ns)
        return SeededIds(view.now_ns).random(f"{self._strategy} {seen}")

    def _plan(self, kind: str, view: View, draw: Random) -> Plan:
        other = self._config.other
        quantity = Decimal(draw.randint(*self._config.sizes))
        # What it has too much of it rather sells, so that it can go on for days.
        far = view.position - self._config.target if self._config.target else Decimal(0)
        side = (
            Side.BUY
            if draw.random() < (0.5 if not far else 0.3 if far > 0 else 0.7)
            else (Side.SELL)
        )
        match kind:
            case "tiered":
                return _tiered(self._market, side, quantity, draw)
            case "twap":
                return _twap(self._market, side, quantity, draw)
            case "atomic" if other is not None:
                return _atomic((self._market, other), side, quantity, draw)
            case "xemm" if other is not None:
                return _xemm((self._market, other), side, quantity, draw)
            case _:
                return _position(self._market, side, quantity, draw)


def offer_trials(registry: Registry) -> None:
    """Offer the controller ``trials``, as a plugin's ``fairlead_register`` would."""
    registry.controller(
        TRIALS, TrialsConfig, TrialsController, summary="starts plans of every kind, to try them"
    )


def _tiered(market: MarketId, side: Side, quantity: Decimal, draw: Random) -> Plan:
    values: dict[str, Any] = {
        "mode": draw.choice(
            ("limit_only", "limit_with_fallback", "limit_with_fallback", "market_only", "adaptive")
        ),
        "maker_price": draw.choice(("join", "improve", "inside")),
        "timeout": _span(draw, 2, 30),
        "taker_timeout": _span(draw, 1, 10),
        "urgent": draw.random() < 0.5,
        "slice": draw.random() < 0.5,
        "max_slippage": draw.choice(("10 bps", "50 bps")),
    }
    return _made(TieredPlan, values, market=market, side=side, quantity=quantity)


def _twap(market: MarketId, side: Side, quantity: Decimal, draw: Random) -> Plan:
    interval = draw.randint(2, 20)
    values: dict[str, Any] = {
        "duration": f"{interval * draw.randint(1, 5)} s",
        "interval": f"{interval} s",
        "mode": draw.choice(("maker", "taker")),
        "catch_up": draw.choice(("spread", "skip")),
        "order_resubmission_time": _span(draw, 1, 10),
    }
    return _made(TwapPlan, values, market=market, side=side, quantity=quantity)


def _position(market: MarketId, side: Side, quantity: Decimal, draw: Random) -> Plan:
    values: dict[str, Any] = {
        "entry": draw.choice(("limit", "market")),
        "entry_timeout": _span(draw, 2, 20),
        "stop_loss": f"{draw.randint(3, 20)} bps",
        "take_profit": f"{draw.randint(3, 20)} bps",
        "time_limit": _span(draw, 5, 60),
        "take_profit_order": draw.choice(("limit", "market")),
        "time_limit_order": draw.choice(("limit", "market")),
        "limit_patience": _span(draw, 1, 5),
    }
    if draw.random() < 0.5:
        values["trailing_stop"] = {"activation": "5 bps", "delta": "3 bps"}
    return _made(PositionPlan, values, market=market, side=side, quantity=quantity)


def _atomic(
    markets: tuple[MarketId, MarketId], side: Side, quantity: Decimal, draw: Random
) -> Plan:
    first, second = markets
    values: dict[str, Any] = {
        "legs": [
            {"market": str(first), "side": side, "quantity": trimmed(quantity)},
            {"market": str(second), "side": side.opposite, "quantity": trimmed(quantity)},
        ],
        "order": draw.choice(("ioc", "ioc", "fok", "limit")),
        "policy": draw.choice(("complete", "unwind", "accept", "unwind")),
        "timeout": _span(draw, 1, 6),
        "max_slippage": draw.choice(("2 bps", "5 bps", "20 bps")),
        "repair_slippage": draw.choice(("5 bps", "50 bps")),
        "repair_time": _span(draw, 2, 8),
    }
    if draw.random() < 0.3:
        values["lead"] = str(first)
        values["lead_time"] = _span(draw, 3, 20)
    return AtomicPlan.model_validate(values)


def _xemm(markets: tuple[MarketId, MarketId], side: Side, quantity: Decimal, draw: Random) -> Plan:
    maker, taker = markets if draw.random() < 0.5 else markets[::-1]
    values: dict[str, Any] = {
        "maker_market": str(maker),
        "taker_market": str(taker),
        "maker_side": side,
        "order_amount": trimmed(quantity),
        # Two markets that move apart would never meet a profit.
        "min_profitability": "-50%",
        "target_profitability": f"{draw.choice((-30, -10, -3))} bps",
        "max_profitability": "50%",
        "hedge_time": _span(draw, 3, 10),
        "time_limit": _span(draw, 5, 60),
        "loss_cap": "20%",
        "price_band": "20%",
    }
    return XemmPlan.model_validate(values)


def _made(
    plan: type[Plan],
    values: Mapping[str, Any],
    *,
    market: MarketId,
    side: Side,
    quantity: Decimal,
) -> Plan:
    named = {"market": str(market), "side": side, "quantity": trimmed(quantity)}
    return plan.model_validate({**named, **values})


def _span(draw: Random, low: int, high: int) -> str:
    return f"{draw.randint(low, high)} s"
