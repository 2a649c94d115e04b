"""What rules ask of the pipeline besides a refusal: room for a hedge, the venue's own flag."""

from dataclasses import replace

import pytest

from fairlead.api import Allowed, Denied, Posture, PostureLevel, RiskView, Verdict
from fairlead.model import InstrumentKind, OrderIntent, OrderState, Purpose, Side
from fairlead.pipeline import queued_id
from fairlead.testing import MARKET, client_id
from tests.fairlead.pipeline import pipeline_world
from tests.fairlead.pipeline.pipeline_world import MS, Rule, StillView, World, live, narrow, place

S = OrderState


def test_what_is_in_the_way_of_a_hedge_is_cancelled_with_its_refusal() -> None:
    def check(one: OrderIntent, view: RiskView) -> Verdict:
        del view
        if one.purpose is Purpose.HEDGE:
            return Denied("self_trade", "2", "1", in_the_way=(client_id(1),))
        return Allowed()

    async def act(world: World) -> None:
        world.ask(place(Side.SELL, 0, price="101"), place(Side.SELL, 1, price="102"))
        await world.clock.sleep_ns(20 * MS)
        world.ask(place(Side.BUY, 5, price="101", purpose=Purpose.HEDGE))

    world = live(act, rules=[Rule(check=check)])

    assert world.states() == [S.CANCELLED, S.OPEN]
    assert [denial[1] for denial in world.denials()] == ["self_trade"]


def test_a_hedge_does_not_wait_for_a_quote_in_its_way_that_has_not_left() -> None:
    quote = place(Side.SELL, 0, price="101")

    def check(one: OrderIntent, view: RiskView) -> Verdict:
        del view
        if one.purpose is Purpose.HEDGE and any(
            waiting.slot == quote.slot for waiting in worlds[0].pipeline.waiting()
        ):
            return Denied("self_trade", "2", "1", in_the_way=(queued_id(quote.slot),))
        return Allowed()

    worlds: list[World] = []

    async def act(world: World) -> None:
        worlds.append(world)
        hedge = place(Side.BUY, 5, price="101", purpose=Purpose.HEDGE)
        world.ask(quote, place(Side.SELL, 1, price="102"), hedge)

    world = live(act, rules=[Rule(check=check)])

    sent = [one.price for _, intents in world.venue.submitted for one in intents]
    assert sent == [101, 102]
    assert world.denials() == []


@pytest.mark.parametrize(
    ("kind", "flagged"), [(InstrumentKind.PERPETUAL, True), (InstrumentKind.SPOT, False)]
)
def test_orders_that_may_only_reduce_say_so_where_the_venue_has_a_flag(
    monkeypatch: pytest.MonkeyPatch, kind: InstrumentKind, flagged: bool
) -> None:
    flags: list[bool] = []

    async def act(world: World) -> None:
        world.gate.assess(world.view)
        judged = world.pipeline.judge(place(Side.SELL, price="101"), world.view)
        assert isinstance(judged, OrderIntent)
        flags.append(judged.reduce_only)

    monkeypatch.setattr(pipeline_world, "TRADED", replace(pipeline_world.TRADED, kind=kind))
    restrained = Rule(assess=lambda view: (Posture(PostureLevel.REDUCING, "rule", "why"),))
    live(act, rules=[restrained], view=StillView("5"))

    assert flags == [flagged]


def test_a_pause_forgets_the_quotes_and_entries_that_wait_and_no_others() -> None:
    kept: list[tuple[Side, Purpose]] = []

    async def act(world: World) -> None:
        world.ask(place(level=9))  # takes the one place on the way
        world.pipeline.submit(
            [
                place(Side.BUY, 0),
                place(Side.BUY, 1, purpose=Purpose.HEDGE),
                place(Side.SELL, 2, price="101"),
            ],
            world.view,
        )
        world.pipeline.drop_creates(MARKET, new_risk=(Side.BUY,))
        kept.extend((one.side, one.purpose) for one in world.pipeline.waiting())

    live(act, capabilities=narrow(in_flight=1), balances={"USDT": "100000", "ALT": "1000"})

    assert sorted(kept) == [(Side.BUY, Purpose.HEDGE), (Side.SELL, Purpose.QUOTE)]
