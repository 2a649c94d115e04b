"""A person is told of exits that get nowhere, while their plans go on trying."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fairlead.api import Allowed, Denied
from fairlead.model import OrderIntent, OrderState, Purpose, RejectClass, Rejected
from fairlead.store import AlertRaised, OrderRecorded
from fairlead.testing import Script
from tests.fairlead.kernel.test_plans_single import Shipped, position, work

Deny = Callable[[OrderIntent], bool]


def told(world: Shipped) -> list[AlertRaised]:
    return [one for one in world.trace.of(AlertRaised) if one.name == "exit_stuck"]


def refuse(world: Shipped, deny: Deny) -> None:
    band = Denied("watching", Decimal(60), Decimal(50), "bps")
    world.rule.checks = lambda intent, view: band if deny(intent) else Allowed()


async def stopped_out(world: Shipped, **plan: Any) -> None:  # noqa: ANN401 - the plan's own keys
    """Enter four, and let the market fall beyond the stop."""
    await world.begin("position", position(entry="market", **plan))
    world.venue.exchange.fill(world.order.client_id, price="100.10")
    await world.wait(0.5)
    world.show("98.40", "98.60")


def exits(world: Shipped) -> list[OrderRecorded]:
    return [one for one in world.recorded if one.purpose is Purpose.EXIT]


def test_an_exit_that_risk_refuses_for_15_s_is_told_once_with_what_is_held() -> None:
    async def act(world: Shipped) -> None:
        refuse(world, lambda intent: intent.purpose is Purpose.EXIT)
        await stopped_out(world)
        await world.wait(14)
        assert told(world) == []
        await world.wait(60)

    world, _ = work(act, for_s=80)

    (alert,) = told(world)
    assert alert.severity == "critical"
    assert alert.detail == (
        "alt execution one: exit by SELL on main:ALT/USDT has got nowhere for 15 s "
        "(risk: watching 60, limit 50); holds +4 on main:ALT/USDT; +4 ALT uncovered; it tries on"
    )
    assert exits(world) == []


def test_it_tries_on_and_leaves_as_soon_as_it_may() -> None:
    async def act(world: Shipped) -> None:
        refuse(world, lambda intent: intent.purpose is Purpose.EXIT)
        await stopped_out(world)
        await world.wait(40)
        world.rule.checks = lambda intent, view: Allowed()
        # It asks every 5 s at the least; by then for ever smaller pieces, of size limits' sake.
        await world.wait(6)
        while world.resting():
            world.venue.exchange.fill(world.order.client_id)
            await world.wait(1)
        assert world.ended.end == "stop loss"

    world, _ = work(act, for_s=120)

    assert len(told(world)) == 1
    assert sum(one.quantity for one in exits(world)) == 4


def test_a_person_is_told_again_while_it_lasts() -> None:
    async def act(world: Shipped) -> None:
        refuse(world, lambda intent: intent.purpose is Purpose.EXIT)
        await stopped_out(world)
        await world.wait(1250)

    world, _ = work(act, for_s=1260)

    assert len(told(world)) == 3


def test_an_exit_that_the_venue_rejects_is_told_too() -> None:
    async def act(world: Shipped) -> None:
        await world.begin("position", position(entry="market"))
        world.venue.exchange.fill(world.order.client_id, price="100.10")
        await world.wait(0.5)
        no = Script(Rejected("NO", RejectClass.OTHER), lands=False)
        world.venue.submits.extend([no] * 100)
        world.show("98.40", "98.60")
        await world.wait(25)

    world, _ = work(act)

    (alert,) = told(world)
    assert "(the venue rejects it)" in alert.detail


@pytest.mark.parametrize("filled", [False, True])
def test_an_exit_that_takes_nothing_is_told_unless_some_of_it_filled(filled: bool) -> None:
    async def act(world: Shipped) -> None:
        await stopped_out(world)
        for second in range(25):
            await world.wait(1)
            for order in world.resting():
                if filled and second % 10 == 9:
                    world.venue.exchange.fill(order.client_id, "0.5")
                world.venue.exchange.end(order.client_id, OrderState.EXPIRED)

    world, _ = work(act)

    assert ["(nothing was there at its price)" in one.detail for one in told(world)] == (
        [] if filled else [True]
    )


def test_a_resting_exit_that_is_refused_is_only_a_warning() -> None:
    async def act(world: Shipped) -> None:
        refuse(world, lambda intent: intent.post_only and intent.purpose is Purpose.EXIT)
        await world.begin("position", position(entry="market", take_profit="1%"))
        world.venue.exchange.fill(world.order.client_id, price="100.10")
        await world.wait(25)

    world, _ = work(act)

    assert [one.severity for one in told(world)] == ["warning"]


def test_an_entry_that_is_refused_alarms_nobody() -> None:
    async def act(world: Shipped) -> None:
        refuse(world, lambda intent: True)
        await world.begin("position", position(entry="market"))
        await world.wait(25)

    world, _ = work(act)

    assert told(world) == []


def test_what_got_nowhere_long_ago_does_not_count() -> None:
    async def act(world: Shipped) -> None:
        refuse(world, lambda intent: intent.purpose is Purpose.EXIT)
        await stopped_out(world)
        await world.wait(10)
        world.rule.checks = lambda intent, view: Allowed()
        await world.wait(75)  # one is at the venue, which does not answer for it
        refuse(world, lambda intent: intent.purpose is Purpose.EXIT)
        world.venue.exchange.end(world.order.client_id, OrderState.EXPIRED)
        await world.wait(12)
        assert told(world) == []
        await world.wait(10)

    world, _ = work(act, for_s=120)

    assert len(told(world)) == 1
