"""What befalls a simulated venue at once: in truth, and as its client sees it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fairlead.model import Accepted, BestQuote, NotSent, OrderUpdate, Side, Unknown
from fairlead.testing import StreamKind
from tests.fairlead.testing.neutral_world import SECOND, World, created, in_world


def test_a_frozen_stream_lives_and_says_the_same_while_the_market_moves_on() -> None:
    async def story(world: World) -> None:
        await world.pass_s(0.5)
        before = len(world.of(BestQuote))
        known, truth = world.book.last_id, world.venue.account.exchange.book.last_id
        world.venue.deeds.freeze(20 * SECOND)
        await world.pass_s(19)
        frozen = world.of(BestQuote)[before:]

        assert known == truth
        assert len(frozen) >= 9
        assert len({(one.update_id, one.venue_ns) for one in frozen}) == 1
        assert world.book.last_id == known
        assert world.book.valid
        assert (world.venue.account.exchange.book.last_id or 0) > (truth or 0)
        await world.pass_s(5)
        assert world.book.counters.gaps == 1
        assert world.book.valid

    in_world(story)


def test_a_ban_refuses_everything_and_nothing_is_sent_meanwhile() -> None:
    async def story(world: World) -> None:
        await world.place("one")
        world.venue.deeds.ban(60 * SECOND)
        first = await world.place("two")
        banned = world.venue.counts["ban"]
        cancelled = await world.cancel("one")
        await world.pass_s(30)

        assert isinstance(first, NotSent)
        assert isinstance(cancelled, NotSent)
        assert world.venue.counts["ban"] == banned
        await world.pass_s(35)
        assert isinstance(await world.cancel("one"), Accepted)

    in_world(story)


@pytest.mark.parametrize("cancels", [False, True])
def test_maintenance_refuses_everything_and_may_cancel(cancels: bool) -> None:
    async def story(world: World) -> None:
        await world.place("one")
        await world.pass_s(1)
        world.venue.deeds.maintain(10 * SECOND, cancels=cancels)
        refused = await world.place("two")
        await world.pass_s(0.5)

        assert isinstance(refused, NotSent)
        assert "MAINTENANCE" in refused.cause
        assert world.live() == ([] if cancels else ["one"])
        assert (world.of(OrderUpdate)[-1].state == "CANCELLED") is cancels
        await world.pass_s(10)
        assert isinstance(await world.place("three"), Accepted)

    in_world(story)


@pytest.mark.parametrize("offset_s", [-10, -2, 2, 10])
def test_after_a_step_of_its_clock_stamps_are_refused_once_and_then_right(offset_s: int) -> None:
    async def story(world: World) -> None:
        world.venue.deeds.shift_clock(offset_s * SECOND)
        first = await world.place("one")
        await world.pass_s(1)
        second = await world.place("two")

        # Two seconds behind is within the window, two ahead is more than the venue takes.
        assert isinstance(first, Accepted if offset_s == 2 else NotSent)
        assert isinstance(second, Accepted)
        (update,) = [one for one in world.of(OrderUpdate) if one.client_id == "two"]
        assert abs(update.venue_ns - offset_s * SECOND - world.clock.now_ns()) < SECOND

    in_world(story)


def test_a_step_of_the_clock_moves_no_deadline_of_what_has_arrived() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.late = 1.0
        world.venue.knobs.late_ns = (6 * SECOND, 6 * SECOND)
        placing = world.place("one")
        world.clock.call_at_ns(
            world.clock.now_ns() + SECOND, lambda: world.venue.deeds.shift_clock(-10 * SECOND)
        )
        outcome = await placing
        await world.pass_s(20)

        assert isinstance(outcome, Unknown)
        assert created(world) == {}

    in_world(story)


def test_other_hands_act_on_the_account() -> None:
    async def story(world: World) -> None:
        deeds, truth = world.venue.deeds, world.venue.truth
        placed = deeds.external_order()
        far = deeds.external_order(Side.BUY, world.venue.mid - Decimal("0.5"), Decimal(50))
        foreign = deeds.foreign_order(tag=5)
        deeds.transfer("USDT", Decimal(-100))
        await world.pass_s(0.5)

        assert not placed.code
        assert not far.code
        origins = [order.origin.value for order in truth.open_orders()]
        assert sorted(origins) == ["external", "external", "foreign"]
        assert foreign in world.live()
        assert truth.transfers[0][1:] == ("USDT", Decimal(-100))
        assert {update.client_id for update in world.of(OrderUpdate)} == set(world.live())
        assert deeds.external_cancel()
        assert deeds.external_cancel()
        assert not deeds.external_cancel()
        assert world.live() == [foreign]
        assert world.venue.counts["external_order"] == 2
        with pytest.raises(ValueError, match="is free"):
            deeds.transfer("USDT", Decimal(-1_000_000))

    in_world(story)


def test_an_order_can_be_put_there_as_if_an_engine_had_done_so_before() -> None:
    async def story(world: World) -> None:
        price = world.venue.instrument.round_price(world.venue.mid - Decimal("0.1"), Side.BUY)
        result = world.venue.place("old", Side.BUY, price, Decimal(10))

        assert not result.code
        assert world.live() == ["old"]
        assert not world.venue.deeds.hit("nobody")

    in_world(story)


def test_streams_of_one_kind_can_be_cut_alone() -> None:
    async def story(world: World) -> None:
        assert world.venue.deeds.drop_streams(StreamKind.MARKET) == 1
        await world.pass_s(0.001)

        assert world.venue.streams(StreamKind.MARKET) == 0
        assert world.venue.streams(StreamKind.USER) == 1

    in_world(story)
