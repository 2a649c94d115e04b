"""The market as a paper venue shows it: late, in order, and to its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fairlead.api import ConnectorContext
from fairlead.errors import FeedError
from fairlead.kernel.ids import SeededIds
from fairlead.model import (
    BestQuote,
    BookLost,
    BookSnapshot,
    Fill,
    MarketEvent,
    Side,
    StreamState,
    StreamStatus,
    Trade,
    VenueEvent,
)
from fairlead_paper import PaperConnector
from tests.fairlead_paper.paper_world import (
    MARKET,
    LateClock,
    NoTransport,
    Tape,
    World,
    at,
    calm,
    config,
    intent,
    ms,
    quote,
    snapshot,
    trade,
)

BUY, SELL = Side.BUY, Side.SELL


def test_the_engine_sees_the_market_after_the_latency() -> None:
    world = World(Tape([snapshot(0), quote(5), trade(7, BUY, 102, 3)]))

    world.play()

    market = world.of(BookSnapshot, BestQuote, Trade)
    assert [when for when, _ in market] == [20, 25, 27]


def test_market_data_carry_the_venues_time_and_that_of_their_arrival() -> None:
    world = World(Tape([snapshot(0), quote(5), trade(7, BUY, 102, 3)]))

    world.play()

    stamps = [(e.venue_ns, e.local_ns) for _, e in world.of(BookSnapshot, BestQuote, Trade)]
    assert stamps == [(at(0), at(20)), (at(5), at(25)), (at(7), at(27))]


def test_a_lost_book_is_passed_on() -> None:
    world = World(Tape([snapshot(0), BookLost(MARKET, at(5), "silence")]))

    world.play()

    assert world.of(BookLost) == [(25, BookLost(MARKET, at(25), "silence"))]


def test_the_stream_is_connected_first_and_ended_when_all_is_delivered() -> None:
    world = World(Tape(calm(30)))

    world.play()

    assert [event.status for _, event in world.of(StreamState)] == [
        StreamStatus.CONNECTED,
        StreamStatus.ENDED,
    ]
    assert isinstance(world.heard[0][1], StreamState)
    assert isinstance(world.heard[-1][1], StreamState)
    assert world.of(StreamState)[-1][0] == 50


def test_the_end_waits_for_account_news_that_are_under_way() -> None:
    world = World(Tape([*calm(100), trade(110, SELL, 99, 50)]))

    async def script() -> None:
        await world.until(10)
        await world.connector.submit([world.intent(BUY, "10.0", "5")])

    world.play(script())

    assert [when for when, _ in world.of(Fill)] == [150]
    assert world.of(StreamState)[-1][0] == 150


def test_an_event_of_one_instant_is_delivered_before_the_venues_next() -> None:
    world = World(
        Tape([snapshot(0), quote(20, 2), quote(40, 3)]),
        config(latency={"market_data": "0 ms", "orders": "0 ms"}),
    )

    world.play()

    assert [when for when, _ in world.of(BookSnapshot, BestQuote)] == [0, 20, 40]


def test_time_never_goes_back_even_where_the_source_does() -> None:
    world = World(Tape([snapshot(0), quote(9), quote(5)]))

    world.play()

    assert [when for when, _ in world.of(BestQuote)] == [29, 29]


def test_a_broken_source_delivers_what_it_had_and_says_so() -> None:
    error = FeedError("tape", "unreadable message", line=3, offset=99)
    world = World(Tape([snapshot(0), quote(5)], broken=error))

    with pytest.raises(FeedError, match="line 3"):
        world.play()

    assert [when for when, _ in world.of(BestQuote)] == [25]
    state = world.of(StreamState)[-1][1]
    assert state.status is StreamStatus.DISCONNECTED
    assert "line 3" in state.detail


def test_cancelling_the_run_closes_the_source() -> None:
    tape = Tape(calm(1_000))
    world = World(tape)

    async def main() -> None:
        running = asyncio.ensure_future(world.connector.run(world.publish))
        await world.until(55)
        running.cancel()
        await asyncio.wait({running})
        heard = len(world.heard)
        await world.until(500)
        assert len(world.heard) == heard

    world.loop.run_until_complete(main())
    world.loop.close()

    assert tape.closed
    assert world.of(BestQuote)[-1][0] == 50


def late(events: list[MarketEvent]) -> tuple[PaperConnector, LateClock]:
    clock = LateClock()
    context = ConnectorContext(
        "main", clock, SeededIds(1), NoTransport(), lambda text, seed: Tape(events), Path()
    )
    return PaperConnector(config(), context), clock


async def until_ended(connector: PaperConnector) -> list[VenueEvent]:
    heard: list[VenueEvent] = []
    ended = asyncio.Event()

    def publish(event: VenueEvent) -> None:
        heard.append(event)
        if isinstance(event, StreamState) and event.status is StreamStatus.ENDED:
            ended.set()

    running = asyncio.ensure_future(connector.run(publish))
    await ended.wait()
    running.cancel()
    await asyncio.wait({running})
    return heard


def test_a_long_stretch_without_waiting_gives_way_to_others() -> None:
    async def main() -> int:
        connector, clock = late(calm(5_000, 1))
        await until_ended(connector)
        return clock.waits

    # 5,001 events happen and are delivered; each thousandth step gives way.
    assert 10 <= asyncio.run(main()) <= 12


def test_a_request_is_served_in_its_time_even_when_its_timer_runs_late() -> None:
    async def main() -> list[VenueEvent]:
        connector, _ = late([*calm(80), trade(90, SELL, 99, 30), quote(200)])
        order = intent(connector.instruments["ALT/USDT"], BUY, "10.0", "5")
        sending = asyncio.ensure_future(connector.submit([order]))
        await asyncio.sleep(0)
        heard = await until_ended(connector)
        assert sending.done()
        return heard

    heard = asyncio.run(main())

    [fill] = [event for event in heard if isinstance(event, Fill)]
    assert ms(fill.venue_ns) == 90
