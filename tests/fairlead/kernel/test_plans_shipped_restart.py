"""Kill the engine after each record of a plan of two markets: what stays open is reported."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

import pytest
from typing_extensions import override

from fairlead.api import AtomicPlan, Plan, Start, XemmPlan
from fairlead.kernel import VirtualClock
from fairlead.testing.simulation.audit import books_differ
from tests.fairlead.kernel.restart_world import MAIN, OTHER, Restarts, story

LEGS: list[dict[str, Any]] = [
    {"market": MAIN, "side": "BUY", "quantity": "200"},
    {"market": OTHER, "side": "SELL", "quantity": "200"},
]
PLANS: Mapping[str, tuple[str, Plan]] = {
    "legs together": (
        "atomic",
        AtomicPlan.model_validate({"legs": LEGS, "policy": "unwind", "loss_cap": "2%"}),
    ),
    "one leads": (
        "atomic",
        AtomicPlan.model_validate({"legs": LEGS, "lead": MAIN, "lead_time": "8 s"}),
    ),
    "quote and hedge": (
        "xemm",
        XemmPlan.model_validate(
            {
                "maker_market": MAIN,
                "taker_market": OTHER,
                "maker_side": "BUY",
                "order_amount": "200",
                "min_profitability": "-80 bps",
                "target_profitability": "0 bps",
                "max_profitability": "80 bps",
                "time_limit": "8 s",
            }
        ),
    ),
}


class Shipped(Restarts):
    """A plan that ships with the engine, and trades that are few where nobody else is busy."""

    def __init__(self, name: str, busy: bool, clock: VirtualClock, kill_at: int) -> None:
        self._name = name
        self._busy = busy
        super().__init__(clock, kill_at)

    @override
    def _trade(self) -> None:
        # Where nobody else is busy, half of the first order that rests is all that is traded.
        if self._busy or not self.venues["main"].truth.fills:
            super()._trade()

    @override
    def _start(self, mid: Decimal) -> Start:
        return Start("one", *PLANS[self._name])


@lru_cache
def whole(name: str, *, busy: bool) -> Shipped:
    return story(partial(Shipped, name, busy), kill_at=0)


@pytest.mark.parametrize("name", PLANS)
def test_without_a_death_the_plan_comes_to_its_end(name: str) -> None:
    world = whole(name, busy=True)

    (ended,) = world.ears.ended
    assert (ended.end, ended.complete, ended.result.residual) == ("done", True, {})
    assert world.traded() == {"main": Decimal(200), "other": Decimal(-200)}


@pytest.mark.unmeasured
@pytest.mark.parametrize("busy", [True, False], ids=["busy", "quiet"])
@pytest.mark.parametrize("name", PLANS)
def test_killed_after_any_record_what_is_open_in_the_end_is_reported(name: str, busy: bool) -> None:
    deaths = len(whole(name, busy=busy).ears.records)
    assert deaths > 8

    for kill_at in range(1, deaths + 1):
        world = story(partial(Shipped, name, busy), kill_at)

        residual = world.ears.ended[-1].result.residual if world.ears.ended else {}
        open_ = sum(world.traded().values(), start=Decimal(0))
        assert open_ == sum(residual.values(), start=Decimal(0)), kill_at
        assert list(books_differ(world.machine.disk.reader(), "demo", world.venues)) == [], kill_at
