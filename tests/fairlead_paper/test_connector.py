from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fairlead.api import ConnectorContext
from fairlead.book import BINANCE_SPOT, CONTIGUOUS, Book
from fairlead.errors import FeedError
from fairlead.kernel.ids import SeededIds
from fairlead.model import (
    Accepted,
    BalanceUpdate,
    BestQuote,
    BookDiff,
    BookLost,
    BookSnapshot,
    Fill,
    Liquidity,
    MarketEvent,
    OrderState,
    OrderUpdate,
    Outcome,
    RejectClass,
    Rejected,
    Side,
    StreamState,
    StreamStatus,
    TimeInForce,
    Trade,
    Unavailable,
    VenueEvent,
)
from fairlead_paper import PaperConnector
from tests.fairlead_paper.paper_world import (
    HINT,
    MARKET,
    START_NS,
    LateClock,
    NoTransport,
    Tape,
    World,
    at,
    calm,
    config,
    diff,
    intent,
    quote,
    snapshot,
    trade,
)

BUY, SELL = Side.BUY, Side.SELL


def ms(now_ns: int) -> int:
    return (now_ns - START_NS) // 1_000_000


# --- market data


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


# --- requests


def test_an_order_arrives_after_the_latency_and_its_answer_as_long_after() -> None:
    world = World(Tape(calm(200)))

    async def script() -> tuple[tuple[Outcome, ...], int]:
        await world.until(50)
        outcomes = await world.connector.submit([world.intent(BUY, "10.0", "5")])
        return outcomes, ms(world.clock.now_ns())

    [(outcomes, answered)] = world.play(script())

    assert outcomes == (Accepted("paper-1"),)
    assert answered == 130
    [(heard, update)] = world.of(OrderUpdate)
    assert (heard, ms(update.venue_ns), update.state) == (130, 90, OrderState.OPEN)


def test_an_order_is_judged_on_the_book_at_its_arrival_which_the_engine_has_not_seen() -> None:
    # The ask falls to 10.1 at 80 ms; the engine sends at 50 ms and sees it at 100 ms.
    world = World(Tape([*calm(70), diff(80, 2, asks=[(101, 50)]), quote(200)]))

    async def script() -> tuple[Outcome, ...]:
        await world.until(50)
        return await world.connector.submit([world.intent(BUY, "10.1", "5", post_only=True)])

    [outcomes] = world.play(script())

    assert isinstance(outcomes[0], Rejected)
    assert outcomes[0].reason is RejectClass.POST_ONLY


def test_an_arrival_comes_before_the_venues_event_of_the_same_instant() -> None:
    world = World(Tape([*calm(80), trade(90, SELL, 99, 30), quote(200)]))

    async def script() -> None:
        await world.until(50)
        await world.connector.submit([world.intent(BUY, "10.0", "5")])

    world.play(script())

    [(heard, fill)] = world.of(Fill)
    assert (heard, ms(fill.venue_ns)) == (130, 90)


def test_a_fill_can_be_heard_before_the_acknowledgement() -> None:
    world = World(Tape([*calm(80), trade(90, SELL, 99, 30), quote(200)]))
    heard_before: list[int] = []

    async def script() -> None:
        await world.until(50)
        await world.connector.submit([world.intent(BUY, "10.0", "5")])
        heard_before.append(len(world.of(Fill)))

    world.play(script())

    assert heard_before == [1]


def test_an_order_can_fill_while_its_cancel_is_under_way() -> None:
    # The cancel leaves at 150 ms and arrives at 190 ms; the print comes at 180 ms.
    world = World(Tape([*calm(170), trade(180, SELL, 99, 30), quote(300)]))

    async def script() -> tuple[Outcome, ...]:
        await world.connector.submit([world.intent(BUY, "10.0", "5")])
        await world.until(150)
        return await world.connector.cancel([world.request()])

    [outcomes] = world.play(script())

    assert outcomes == (Accepted("paper-1"),)
    states = [(event.state, event.filled) for _, event in world.of(OrderUpdate)]
    assert states == [
        (OrderState.OPEN, Decimal(0)),
        (OrderState.PARTIALLY_FILLED, Decimal(3)),
        (OrderState.CANCELLED, Decimal(3)),
    ]


def test_a_cancel_that_comes_after_the_last_fill_finds_no_order() -> None:
    world = World(Tape([*calm(170), trade(180, SELL, 99, 50), quote(300)]))

    async def script() -> tuple[Outcome, ...]:
        await world.connector.submit([world.intent(BUY, "10.0", "5")])
        await world.until(150)
        return await world.connector.cancel([world.request()])

    [outcomes] = world.play(script())

    assert isinstance(outcomes[0], Rejected)
    assert outcomes[0].reason is RejectClass.NOT_FOUND


def test_a_batch_gives_one_outcome_each_in_order() -> None:
    world = World(Tape(calm(200)))

    async def script() -> tuple[Outcome, ...]:
        return await world.connector.submit(
            [
                world.intent(BUY, "10.0", "5", "a"),
                world.intent(BUY, "10.05", "5", "b"),
                world.intent(SELL, "10.2", "5", "c"),
            ]
        )

    [outcomes] = world.play(script())

    assert [type(outcome) for outcome in outcomes] == [Accepted, Rejected, Accepted]


def test_more_than_a_batch_holds_is_refused_whole() -> None:
    world = World(Tape(calm(200)))
    most = world.connector.capabilities.batch.creates

    async def script() -> tuple[Outcome, ...]:
        intents = [world.intent(BUY, "9.0", "1", f"o{n}") for n in range(most + 1)]
        return await world.connector.submit(intents)

    [outcomes] = world.play(script())

    assert len(outcomes) == most + 1
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Rejected)} == {
        "BATCH_TOO_LARGE"
    }


def test_cancelling_the_call_does_not_undo_the_send() -> None:
    world = World(Tape(calm(300)))

    async def script() -> int:
        sending = asyncio.ensure_future(world.connector.submit([world.intent(BUY, "10.0", "5")]))
        await world.until(60)
        sending.cancel()
        await world.until(150)
        orders = await world.connector.open_orders()
        assert not isinstance(orders, Unavailable)
        return len(orders)

    assert world.play(script()) == [1]


def test_requests_are_answered_after_the_source_has_ended() -> None:
    world = World(Tape(calm(20)))

    async def script() -> tuple[tuple[Outcome, ...], object]:
        await world.connector.submit([world.intent(BUY, "10.0", "5")])
        await world.until(500)
        cancelled = await world.connector.cancel([world.request()])
        return cancelled, await world.connector.open_orders()

    [(cancelled, orders)] = world.play(script())

    assert cancelled == (Accepted("paper-1"),)
    assert orders == ()
    assert world.of(OrderUpdate)[-1][1].state is OrderState.CANCELLED


# --- queries


def test_queries_answer_from_the_venues_truth_at_their_arrival() -> None:
    world = World(Tape([*calm(170), trade(180, SELL, 99, 30), quote(300)]))

    async def script() -> tuple[object, ...]:
        await world.connector.submit([world.intent(BUY, "10.0", "5")])
        await world.until(150)
        connector = world.connector
        answers = await asyncio.gather(
            connector.open_orders(),
            connector.order(MARKET, "own"),
            connector.order(MARKET, "never"),
            connector.fills(at(0)),
            connector.fills(at(181)),
            connector.balances(),
            connector.positions(),
        )
        return (*answers, ms(world.clock.now_ns()))

    [answers] = world.play(script())

    orders, order, never, fills, later, balances, positions, answered = answers
    assert isinstance(orders, tuple)
    assert orders == (order,)
    assert isinstance(order, OrderUpdate)
    assert order.filled == 3
    assert never is None
    assert isinstance(fills, tuple)
    assert [(fill.price, fill.quantity, fill.liquidity) for fill in fills] == [
        (Decimal("10.0"), Decimal(3), Liquidity.MAKER)
    ]
    assert later == ()
    assert isinstance(balances, tuple)
    assert {balance.asset: (balance.free, balance.locked) for balance in balances} == {
        "ALT": (Decimal("102.997"), Decimal(0)),
        "USDT": (Decimal(1950), Decimal(20)),
    }
    assert positions == ()
    assert answered == 230


def test_account_news_say_the_same_as_a_query() -> None:
    world = World(Tape([*calm(170), trade(180, SELL, 99, 30), quote(300)]))

    async def script() -> object:
        await world.connector.submit([world.intent(BUY, "10.0", "5")])
        await world.until(280)
        return await world.connector.balances()

    [balances] = world.play(script())

    told = {event.asset: event for _, event in world.of(BalanceUpdate)}
    assert isinstance(balances, tuple)
    for balance in balances:
        news = told[balance.asset]
        assert (news.free, news.locked) == (balance.free, balance.locked)


def test_ioc_and_fok_orders_never_stay() -> None:
    world = World(Tape(calm(200)))

    async def script() -> object:
        await world.connector.submit(
            [
                world.intent(BUY, "10.2", "15", "ioc", TimeInForce.IOC),
                world.intent(BUY, "10.2", "15", "fok", TimeInForce.FOK),
            ]
        )
        return await world.connector.open_orders()

    assert world.play(script()) == [()]
    states = {event.client_id: event.state for _, event in world.of(OrderUpdate)}
    assert states == {"ioc": OrderState.EXPIRED, "fok": OrderState.EXPIRED}


# --- what it says of itself


def test_a_fresh_book_can_be_asked_for() -> None:
    world = World(Tape([*calm(50), diff(60, 2, bids=[(99, 7)]), diff(110, 3), quote(300)]))

    async def script() -> None:
        await world.until(50)
        world.connector.resync("ALT/USDT")
        world.connector.resync("BTC/USDT")

    world.play(script())

    [_, (heard, fresh)] = world.of(BookSnapshot)
    # Asked at 90 ms at the venue, and under way as long as any market data.
    assert (heard, ms(fresh.venue_ns), fresh.last_id) == (110, 90, 2)
    book = Book(MARKET, CONTIGUOUS)
    book.on_snapshot(fresh)
    book.on_diff(world.of(BookDiff)[-1][1])
    assert (book.valid, book.last_id) == (True, 3)


def test_a_fresh_book_does_not_come_from_a_venue_without_one() -> None:
    world = World(Tape([quote(5), quote(300)]))

    async def script() -> None:
        world.connector.resync("ALT/USDT")

    world.play(script())

    assert world.of(BookSnapshot) == []


def test_it_says_what_it_can_do() -> None:
    world = World(Tape(calm(10), replace(HINT, sequence=BINANCE_SPOT)))
    connector = world.connector
    world.loop.close()

    assert connector.capabilities.simulated
    assert not connector.capabilities.own_orders_in_book
    assert connector.capabilities.deadline_ns == 40_000_000
    assert connector.starts_ns == START_NS
    assert connector.ends_ns is None
    assert connector.sequence_rule("ALT/USDT") is BINANCE_SPOT
    assert list(connector.instruments) == ["ALT/USDT"]
    with pytest.raises(KeyError):
        connector.sequence_rule("BTC/USDT")


def test_the_same_run_twice_is_the_same() -> None:
    tape: list[MarketEvent] = [
        *calm(170),
        trade(180, SELL, 99, 30),
        diff(190, 2, bids=[(100, 0)], asks=[(100, 8)]),
        trade(195, SELL, 99, 10),
        quote(300),
    ]

    def heard() -> list[tuple[int, Any]]:
        world = World(Tape(tape))

        async def script(key: str, after_ms: int) -> None:
            await world.until(after_ms)
            await world.connector.submit([world.intent(BUY, "10.0", "5", key)])

        scripts: list[Coroutine[Any, Any, None]] = [script("a", 50), script("b", 50)]
        world.play(*scripts)
        return list(world.heard)

    first, second = heard(), heard()
    assert first == second
    assert any(isinstance(event, Fill) for _, event in first)
