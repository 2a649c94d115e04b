"""Kill the engine after each step of a plan that is journaled: the next run goes on from it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache, partial

import pytest
from typing_extensions import override

from fairlead.api import Registry, Start
from fairlead.kernel import VirtualClock
from fairlead.model import Side
from fairlead.testing.simulation.audit import books_differ
from tests.fairlead.kernel.plans_world import Carry, CarryPlan
from tests.fairlead.kernel.restart_world import MAIN, OTHER, Restarts, story

HEDGED: Mapping[str, object] = {}
#: An executor whose hedges find no buyer within their bound, and that gives up after a while.
STUCK: Mapping[str, object] = {"seconds": 3, "hedge_off": Decimal("0.5")}


class Carried(Restarts):
    """A plan that buys on one venue and sells each fill on the other."""

    def __init__(self, plan: Mapping[str, object], clock: VirtualClock, kill_at: int) -> None:
        self._plan = plan
        super().__init__(clock, kill_at)

    @override
    def _offer(self, registry: Registry) -> None:
        registry.executor("carry", CarryPlan, Carry)

    @override
    def _start(self, mid: Decimal) -> Start:
        values: dict[str, object] = {
            "market": MAIN,
            "hedge": OTHER,
            "quantity": "200",
            "slice": "200",
            "bound": (mid * Decimal("1.002")).quantize(Decimal("0.0001")),
            "below": Decimal("0.002"),
        }
        return Start("one", "carry", CarryPlan.model_validate({**values, **self._plan}))


@lru_cache
def whole(*, stuck: bool) -> Carried:
    return story(partial(Carried, STUCK if stuck else HEDGED), kill_at=0)


def test_without_a_death_the_plan_comes_to_its_end() -> None:
    world = whole(stuck=False)

    (ended,) = world.ears.ended
    assert (ended.end, ended.complete, ended.result.residual) == ("done", True, {})
    assert world.traded() == {"main": Decimal(200), "other": Decimal(-200)}


@pytest.mark.unmeasured
def test_killed_after_any_record_it_is_gone_on_with_and_ends_at_zero() -> None:
    deaths = len(whole(stuck=False).ears.records)
    assert deaths > 20

    for kill_at in range(1, deaths + 1):
        world = story(partial(Carried, HEDGED), kill_at)

        if not world.ears.ended:
            # Its begin was lost with the power, and so was all that could have come of it.
            assert world.traded() == {"main": Decimal(0), "other": Decimal(0)}, kill_at
            continue
        ended = world.ears.ended[-1]
        end = (ended.end, ended.complete, ended.result.residual)
        assert end == ("done", True, {}), kill_at
        assert world.traded() == {"main": Decimal(200), "other": Decimal(-200)}, kill_at
        entry, hedges = ended.result.legs
        assert (entry.side, entry.filled) == (Side.BUY, Decimal(200)), kill_at
        assert (hedges.side, hedges.filled) == (Side.SELL, Decimal(200)), kill_at
        assert list(books_differ(world.machine.disk.reader(), "demo", world.venues)) == [], kill_at


def test_what_cannot_be_hedged_is_reported_as_it_is() -> None:
    world = whole(stuck=True)

    (ended,) = world.ears.ended
    assert ended.end == "late"
    assert world.traded() == {"main": Decimal(200), "other": Decimal(0)}
    assert ended.result.residual == {str(MAIN): Decimal(200)}


@pytest.mark.unmeasured
def test_killed_anywhere_the_residual_that_it_reports_is_what_is_open() -> None:
    deaths = range(4, len(whole(stuck=True).ears.records) + 1, 9)
    assert len(deaths) > 20

    for kill_at in deaths:
        world = story(partial(Carried, STUCK), kill_at)

        (ended,) = world.ears.ended[-1:]
        traded = world.traded()
        residual = ended.result.residual.get(str(MAIN), Decimal(0))
        assert residual == traded["main"] + traded["other"], kill_at
        assert list(books_differ(world.machine.disk.reader(), "demo", world.venues)) == [], kill_at
