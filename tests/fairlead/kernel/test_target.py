"""What a market's strategies steer to together, and what passes before they have said it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fairlead.api import (
    Allowed,
    Decision,
    Gate,
    NoMemory,
    Posture,
    PostureLevel,
    RiskView,
    Verdict,
    View,
)
from fairlead.kernel import FlattenAsked, Flattening
from fairlead.model import OrderIntent, Quote, Side
from fairlead.store import IntentDenied, OrderRecorded
from fairlead.testing import MARKET
from tests.fairlead.kernel.engine_world import SECOND, Quoting, World, live

Decides = Callable[[View], Decision[NoMemory] | None]


class Seeing:
    """A rule that allows everything and keeps what it saw of the target."""

    def __init__(self) -> None:
        self.targets: list[Decimal | None] = []

    def __call__(self, intent: OrderIntent, view: RiskView) -> Verdict:
        self.targets.append(view.market(intent.instrument.market).target)
        return Allowed()


def without_target(view: View) -> Decision[NoMemory]:
    """Quote a sell without a word on the target."""
    if view.mid is None:
        return Decision(NoMemory(), quotes=(), gates=(Gate("no book", ""),))
    quote = Quote(Side.SELL, 0, view.mid + 3, Decimal(1), view.mid, ())
    return Decision(NoMemory(), quotes=(quote,))


def failing(view: View) -> Decision[NoMemory]:
    raise LookupError(view.mid)


def played(
    every: str = "1 s", alt: Decides | None = None, other: Decides | None = None
) -> tuple[World, Seeing, list[Decimal | None]]:
    """Run two strategies on one market for some ticks; gives what a rule and the desk saw."""
    seeing, targets = Seeing(), list[Decimal | None]()

    async def act(world: World) -> None:
        world.rule.checks = seeing
        for controller, decides in ((world.controller, alt), (world.beside["other"], other)):
            controller.decides = decides or controller.decides
        await world.wait(1.5)
        targets.append(world.engine.desk.target(MARKET))
        world.show()
        await world.wait(1)
        targets.append(world.engine.desk.target(MARKET))
        await world.wait(3)
        targets.append(world.engine.desk.target(MARKET))
        world.engine.request_stop()

    world, _ = live(act, beside={"other": every})
    return world, seeing, targets


def test_the_targets_of_a_market_add_up_and_are_known_before_anything_is_judged() -> None:
    world, seeing, targets = played()

    assert targets == [None, 100, 100]
    assert set(seeing.targets) == {Decimal(100)}
    first = world.trace.of(OrderRecorded)[:4]
    assert [one.strategy for one in first] == ["alt", "alt", "other", "other"]
    assert len({one.decided_ns for one in first}) == 1


def test_one_that_decides_rarely_is_asked_for_its_target_and_quotes_when_it_decides() -> None:
    world, seeing, targets = played("60 s")

    assert targets == [None, 100, 100]
    assert set(seeing.targets) == {Decimal(100)}
    assert {one.strategy for one in world.trace.of(OrderRecorded)} == {"alt"}
    assert len(world.beside["other"].views) == 1


def test_one_without_a_target_by_nature_is_not_waited_for() -> None:
    _, seeing, targets = played(other=without_target)

    assert targets == [None, 50, 50]
    assert set(seeing.targets) == {Decimal(50)}


def test_where_none_has_a_target_it_is_what_is_held() -> None:
    world, seeing, targets = played(alt=without_target, other=without_target)

    held = world.engine.desk.position(MARKET)
    assert targets == [None, held, held]
    assert set(seeing.targets) == {held}


def test_while_one_fails_to_decide_the_target_is_unknown() -> None:
    _, seeing, targets = played(other=failing)

    assert targets == [None, None, None]
    assert set(seeing.targets) == {None}


def test_while_the_target_is_unknown_nothing_is_known_to_reduce() -> None:
    def reducing(view: RiskView) -> tuple[Posture, ...]:
        return (Posture(PostureLevel.REDUCING, "watching", "why"),)

    async def act(world: World) -> None:
        world.beside["other"].decides = failing
        await world.wait(0.5)
        world.show()
        await world.wait(2)
        resting.append(len(world.open_orders()))
        world.rule.assesses = reducing
        await world.wait(4)
        resting.append(len(world.open_orders()))
        world.engine.request_stop()

    resting: list[int] = []
    world, _ = live(act, beside={"other": "1 s"})

    assert resting == [2, 0]
    denied = world.trace.of(IntentDenied)
    assert {(one.rule, one.observed) for one in denied} == {("watching", "target unknown")}


@pytest.mark.parametrize("to", ["target", "zero"])
def test_a_position_is_not_said_to_be_at_a_target_that_nobody_knows(to: str) -> None:
    async def act(world: World) -> None:
        world.beside["other"].decides = failing
        await world.wait(0.5)
        world.show()
        await world.wait(2)
        desk = world.engine.desk
        if to == "zero":
            desk.cast.aims[MARKET] = Decimal(0)
        flattening = Flattening(
            desk, FlattenAsked(MARKET, "other", Decimal("0.01"), to), world.clock.now_ns()
        )
        desk.pipeline.cancel_all("a test")
        desk.pipeline.dispatch()
        desk.runners["alt"].hold(Gate("held", ""), world.clock.now_ns())
        await world.wait(1)
        for _ in range(3):
            flattening.tick(world.clock.now_ns())
            await world.wait(1)
        begun.append(flattening.result()["side"])
        flattening.tick(world.clock.now_ns() + 3600 * SECOND)
        results.append(flattening.result())
        world.engine.request_stop()

    begun: list[str | None] = []
    results: list[dict[str, Any]] = []
    live(act, beside={"other": "1 s"})

    (result,) = results
    assert begun == [None if to == "target" else "SELL"]
    assert (result["residual"] is None, result["open"]) == (to == "target", True)


def test_a_lone_strategy_is_asked_only_when_it_decides() -> None:
    controller: list[Quoting] = []

    async def act(world: World) -> None:
        controller.append(world.controller)
        await world.wait(0.5)
        world.show()
        await world.wait(3)
        world.engine.request_stop()

    world, _ = live(act)

    ticks = [view.now_ns for view in controller[0].views]
    assert len(ticks) == len(set(ticks))
    assert world.engine.desk.target(MARKET) == 50
