"""Streams that are cut, grow mute or lose news, and what that costs."""

from __future__ import annotations

import pytest

from fairlead.api import Duration, Restartable
from fairlead.model import BookLost, BookSnapshot, Fill, OrderUpdate, StreamState, StreamStatus
from fairlead.testing import NeutralConfig, StreamKind, VenueSetup
from tests.fairlead.testing.neutral_world import MILLISECOND, SECOND, SYMBOL, World, in_world


def test_a_cut_of_all_streams_leaves_the_book_blind_for_less_than_two_ticks() -> None:
    async def story(world: World) -> None:
        await world.place("one")
        for _ in range(5):
            world.venue.deeds.cut_all()
            await world.pass_s(30)

        assert len(world.blind) == 5
        assert all(until - since < 2 * SECOND for since, until in world.blind)
        assert world.top_is_true()

    in_world(story)


@pytest.mark.unmeasured
def test_with_a_planned_renewal_24_hours_pass_without_a_gap() -> None:
    async def story(world: World) -> None:
        await world.pass_s(26 * 3_600)

        assert world.blind == []
        assert [state.status for state in world.of(StreamState)] == [StreamStatus.CONNECTED]
        assert world.of(BookLost) == []
        assert world.venue.streams(StreamKind.USER) == 1

    in_world(story, setup=VenueSetup(thin_ns=9 * SECOND, heartbeat_ns=9 * SECOND))


@pytest.mark.unmeasured
def test_without_a_renewal_the_venue_cuts_at_24_hours() -> None:
    async def story(world: World) -> None:
        await world.pass_s(24 * 3_600 + 60)

        statuses = [state.status for state in world.of(StreamState)]
        assert statuses == [
            StreamStatus.CONNECTED,
            StreamStatus.DISCONNECTED,
            StreamStatus.CONNECTED,
        ]
        assert "24 h" in world.of(StreamState)[1].detail
        assert len(world.blind) == 1

    in_world(
        story,
        setup=VenueSetup(thin_ns=9 * SECOND, heartbeat_ns=9 * SECOND),
        config=NeutralConfig(life=Duration.parse("30 h")),
    )


def test_what_happened_while_the_users_stream_was_away_is_published_afterwards() -> None:
    async def story(world: World) -> None:
        await world.place("one")
        await world.place("two")
        await world.pass_s(1)
        world.venue.deeds.drop_streams(StreamKind.USER)
        world.venue.deeds.hit("one")
        await world.pass_s(5)

        assert [fill.client_id for fill in world.of(Fill)] == ["one"]
        assert world.of(OrderUpdate)[-1].client_id == "two"
        assert [state.status for state in world.of(StreamState)] == [
            StreamStatus.CONNECTED,
            StreamStatus.DISCONNECTED,
            StreamStatus.CONNECTED,
        ]

    in_world(story)


def test_lost_news_are_noticed_by_their_number_and_read() -> None:
    async def story(world: World) -> None:
        await world.place("one")
        await world.pass_s(1)
        world.venue.knobs.news_lost = 1.0
        world.venue.deeds.hit("one")
        world.venue.heal()
        assert world.of(Fill) == []
        await world.pass_s(10)

        assert [fill.client_id for fill in world.of(Fill)] == ["one"]

    in_world(story)


def test_news_that_were_only_overtaken_cause_no_reading() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.reorder = 0.5
        for number in range(20):
            await world.place(f"o{number}")
        await world.pass_s(10)

        told = [update.client_id for update in world.of(OrderUpdate)]
        assert sorted(told) == sorted(f"o{number}" for number in range(20))
        assert told != [f"o{number}" for number in range(20)]

    in_world(story)


def test_a_mute_stream_is_opened_again_although_it_is_connected() -> None:
    async def story(world: World) -> None:
        world.venue.deeds.mute_streams()
        await world.pass_s(12.5)
        await world.pass_s(3)

        assert StreamStatus.DISCONNECTED in [state.status for state in world.of(StreamState)]
        assert "no content for 12 s" in world.of(StreamState)[1].detail
        assert len(world.of(BookLost)) == 1
        assert world.top_is_true() or world.book.valid

    in_world(story)


def test_no_snapshot_is_fetched_while_there_is_no_stream_to_follow_it() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.refused = 1.0
        world.venue.deeds.drop_streams(StreamKind.MARKET)
        await world.pass_s(1)
        before = len(world.of(BookSnapshot))
        world.venue.knobs.refused = 0.0
        world.connector.resync(SYMBOL)
        await world.clock.sleep_ns(90 * MILLISECOND)
        between = len(world.of(BookSnapshot))
        await world.pass_s(5)

        assert between == before
        assert len(world.of(BookSnapshot)) > before
        assert world.book.valid

    in_world(story)


def test_the_engine_may_ask_for_new_streams() -> None:
    async def story(world: World) -> None:
        assert isinstance(world.connector, Restartable)
        world.connector.restart_streams("it is mute")
        await world.pass_s(2)

        assert [state.detail for state in world.of(StreamState)][1] == "user stream: it is mute"
        assert world.of(StreamState)[-1].status is StreamStatus.CONNECTED

    in_world(story)


def test_from_a_gap_to_a_valid_book_it_takes_less_than_three_seconds() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.gap = 0.05
        world.venue.knobs.request_lost = 0.2
        world.venue.knobs.answer_lost = 0.2
        await world.pass_s(600)
        # With two of five requests lost three tries fail now and then; the engine asks again.
        quick = [until - since for since, until in world.blind if until - since <= 3 * SECOND]

        assert world.venue.counts["gap"] >= 5
        assert len(quick) >= len(world.blind) * 3 // 4

    in_world(story)


def test_from_a_gap_to_a_valid_book_it_takes_no_second_when_requests_get_through() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.gap = 0.1
        await world.pass_s(600)

        assert len(world.blind) >= 10
        assert all(until - since <= SECOND for since, until in world.blind)

    in_world(story)
