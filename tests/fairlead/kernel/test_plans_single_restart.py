"""Kill the engine after each record of a shipped plan: the next run goes on and never overfills."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

import pytest
from typing_extensions import override

from fairlead.api import Plan, Start
from fairlead.api.plans import PositionPlan, TieredPlan, TwapPlan
from fairlead.kernel import VirtualClock
from fairlead.model import Side
from tests.fairlead.kernel.restart_world import MAIN, Restarts, story

KEYS: dict[str, Any] = {"market": MAIN, "side": "BUY", "quantity": "200"}
PLANS: dict[str, Plan] = {
    "tiered": TieredPlan.model_validate(
        KEYS | {"mode": "limit_with_fallback", "timeout": "400 ms"}
    ),
    "twap": TwapPlan.model_validate(
        KEYS | {"duration": "2 s", "interval": "1 s", "mode": "taker", "max_slice": 3}
    ),
    "position": PositionPlan.model_validate(
        KEYS | {"take_profit": "1%", "stop_loss": "5%", "time_limit": "10 s"}
    ),
}


class Single(Restarts):
    """One shipped plan of one market."""

    def __init__(self, name: str, clock: VirtualClock, kill_at: int) -> None:
        self._name = name
        super().__init__(clock, kill_at)

    @override
    def _start(self, mid: Decimal) -> Start:
        return Start("one", self._name, PLANS[self._name])

    def filled(self, side: Side) -> Decimal:
        """Give what was traded on one side, by the venue's own truth."""
        fills = self.venues["main"].truth.fills
        return sum((fill.quantity for fill in fills if fill.side is side), start=Decimal(0))


@lru_cache
def whole(name: str) -> Single:
    return story(partial(Single, name), kill_at=0)


@pytest.mark.parametrize("name", PLANS)
def test_without_a_death_a_plan_comes_to_its_end(name: str) -> None:
    world = whole(name)

    (ended,) = world.ears.ended
    assert ended.complete, ended
    assert world.filled(Side.BUY) == 200


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", PLANS)
def test_killed_after_any_record_a_plan_goes_on_and_never_overfills(name: str) -> None:
    deaths = len(whole(name).ears.records)
    assert deaths > 8

    for kill_at in range(1, deaths + 1):
        world = story(partial(Single, name), kill_at)

        bought, sold = world.filled(Side.BUY), world.filled(Side.SELL)
        assert sold <= bought <= 200, kill_at
        if not world.ears.ended:
            # Its begin was lost with the power, and so was all that followed.
            assert bought == 0, kill_at
            continue
        ended = world.ears.ended[-1]
        assert ended.result.legs[0].filled == bought, kill_at
        if name == "position":
            # The fees of the entry are taken in ALT; less than the lot of 1 is nothing.
            left = bought - sold - ended.result.legs[0].fees.get("ALT", Decimal(0))
            left -= sum(ended.result.residual.values(), start=Decimal(0))
            assert 0 <= left < 1, kill_at
        else:
            assert ended.complete == (bought == 200), kill_at
