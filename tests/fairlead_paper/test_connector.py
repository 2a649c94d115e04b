"""What a paper venue makes of requests: in their time, on its own book, each with its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fairlead.book import BINANCE_SPOT, CONTIGUOUS, Book
from fairlead.model import (
    Accepted,
    BalanceUpdate,
    BookDiff,
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
    TimeInForce,
    Unavailable,
)
from tests.fairlead_paper.paper_world import (
    HINT,
    MARKET,
    START_NS,
    Tape,
    World,
    at,
    calm,
    diff,
    ms,
    quote,
    trade,
)

BUY, SELL = Side.BUY, Side.SELL


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
