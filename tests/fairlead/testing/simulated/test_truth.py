from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal

import msgspec
import pytest

from fairlead.api import Request
from fairlead.book import Book
from fairlead.model import (
    BookDiff,
    BookSnapshot,
    MarketId,
    OrderState,
    OrderUpdate,
    Side,
    TimeInForce,
    Trade,
)
from fairlead.testing import Effect, EffectKind, Origin, SeededIds, SlotWatch, VenueSetup
from fairlead.testing.neutral import (
    Cancel,
    CancelBatch,
    Complaint,
    Place,
    PlaceBatch,
    Results,
    encode,
)
from fairlead.testing.simulated import HINT, ThinFlow
from tests.fairlead.testing.neutral_world import MARKET, SECOND, SYMBOL, World, in_world

_TEN = Decimal(10)


def test_fills_keep_their_numbers_when_older_ones_are_forgotten() -> None:
    async def story(world: World) -> None:
        account, truth = world.venue.account, world.venue.truth
        await world.place("one")
        for _ in range(4):
            world.venue.deeds.hit("one", 0.25)
        before, _ = account.fills(0, 0, 10)

        truth.forget_fills(2)
        shown, more = account.fills(0, 0, 1)
        rest, _ = account.fills(0, shown[-1].number, 10)

        assert [fill.number for fill in before] == [1, 2, 3, 4]
        assert (shown, more) == (before[2:3], True)
        assert rest == before[3:]
        assert (truth.forgotten, len(truth.fills)) == (2, 2)

    in_world(story)


def test_every_effect_is_noted_with_its_time_its_id_and_whose_it_was() -> None:
    async def story(world: World) -> None:
        heard: list[Effect] = []
        world.venue.truth.watch(heard.append)
        await world.place("one")
        await world.place("two")
        world.venue.deeds.hit("one", 0.5)
        world.venue.deeds.hit("one", 1.0)
        await world.cancel("two")

        told = [(one.kind, one.client_id, one.cause, one.live) for one in heard]
        assert told == [
            (EffectKind.CREATED, "one", "request", True),
            (EffectKind.CREATED, "two", "request", True),
            (EffectKind.FILLED, "one", "market", True),
            (EffectKind.FILLED, "one", "market", False),
            (EffectKind.CANCELLED, "two", "request", False),
        ]
        assert list(world.venue.truth.effects) == heard
        assert {one.origin for one in heard} == {Origin.ENGINE}
        assert [one.t_ns for one in heard] == sorted(one.t_ns for one in heard)
        assert world.venue.truth.created == 2

    in_world(story)


def test_live_orders_are_counted_in_each_slot_at_every_instant() -> None:
    async def story(world: World) -> None:
        def slot_of(client_id: str) -> Hashable | None:
            return client_id[0] if client_id[0] in "ab" else None

        watch = SlotWatch(world.venue.truth, slot_of)
        for name in ("a1", "b1", "a2", "x1", "x2"):
            await world.place(name)
        crowded_ns = world.clock.now_ns()
        await world.cancel("a1")
        await world.cancel("b1")
        await world.place("b2")
        await world.cancel("x1")

        assert watch.most == {"a": 2, "b": 1}
        assert watch.live == {"a": 1, "b": 1}
        assert [(slot, count) for _, slot, count in watch.crowded] == [("a", 2)]
        assert watch.crowded[0][0] <= crowded_ns

    in_world(story)


def test_what_rests_is_known_with_its_price_its_rest_and_its_age() -> None:
    async def story(world: World) -> None:
        intent = world.intent("one")
        await world.connector.submit([intent])
        world.venue.deeds.hit("one", 0.3)
        (order,) = world.venue.truth.open_orders(Origin.ENGINE)

        assert (order.price, order.quantity, order.filled) == (
            intent.price,
            Decimal(100),
            Decimal(30),
        )
        assert order.leaves == 70
        assert order.side is Side.BUY
        assert order.since_ns <= world.clock.now_ns()
        assert world.venue.truth.open_orders(Origin.FOREIGN) == ()

    in_world(story)


def test_an_order_that_cannot_rest_expires() -> None:
    async def story(world: World) -> None:
        price = world.venue.instrument.round_price(world.venue.mid * 2, Side.SELL)
        order = Place("one", SYMBOL, Side.SELL, price, _TEN, TimeInForce.IOC, post_only=False)

        result = world.venue.account.place(order)
        await world.pass_s(1)

        assert not result.code
        assert world.venue.truth.effects[-1].kind is EffectKind.EXPIRED
        assert world.of(OrderUpdate)[-1].state is OrderState.EXPIRED

    in_world(story)


def test_an_order_that_takes_fills_at_once() -> None:
    async def story(world: World) -> None:
        price = world.venue.instrument.round_price(world.venue.mid * 2, Side.BUY)
        order = Place("one", SYMBOL, Side.BUY, price, _TEN, post_only=False)

        world.venue.account.place(order)

        kinds = [effect.kind for effect in world.venue.truth.effects]
        assert kinds == [EffectKind.CREATED, EffectKind.FILLED]
        assert world.live() == []

    in_world(story)


# --- the protocol's edges


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", b"", 404, "NO_SUCH_PATH"),
        ("GET", "/order", b"", 400, "BAD_REQUEST"),
        ("GET", "/open?after=x", b"", 400, "BAD_REQUEST"),
        ("GET", "/depth?symbol=BTC/USDT", b"", 404, "NO_MARKET"),
        ("POST", "/orders", b"{", 400, "BAD_REQUEST"),
        ("POST", "/cancels", b"[]", 400, "BAD_REQUEST"),
        ("POST", "/deadman", b"{}", 400, "BAD_REQUEST"),
        ("DELETE", "/orders", b"", 404, "NO_SUCH_PATH"),
    ],
)
def test_a_request_that_makes_no_sense_is_complained_about(
    method: str, path: str, body: bytes, status: int, code: str
) -> None:
    async def story(world: World) -> None:
        request = Request(method, f"https://main.test{path}", {}, body)

        answer = await world.transport.request(request, timeout_ns=SECOND)

        assert answer.status == status
        assert msgspec.json.decode(answer.body, type=Complaint).code == code

    in_world(story)


@pytest.mark.parametrize(
    ("ahead_s", "window_s", "count", "code"),
    [
        (0, 0, 1, "BAD_WINDOW"),
        (0, 11, 1, "BAD_WINDOW"),
        (2, 3, 1, "STAMP"),
        (-4, 3, 1, "STAMP"),
        (0, 3, 21, "BATCH_TOO_LARGE"),
    ],
)
def test_a_batch_without_a_sound_deadline_or_of_too_many_is_refused_as_a_whole(
    ahead_s: int, window_s: int, count: int, code: str
) -> None:
    async def story(world: World) -> None:
        stamp_ns = world.clock.now_ns() + ahead_s * SECOND
        body = encode(CancelBatch(stamp_ns, window_s * SECOND, (Cancel("one"),) * count))
        request = Request("POST", "https://main.test/cancels", {}, body)

        answer = await world.transport.request(request, timeout_ns=SECOND)

        assert answer.status == 400
        assert msgspec.json.decode(answer.body, type=Complaint).code == code

    in_world(story)


def test_an_order_for_another_market_is_refused() -> None:
    async def story(world: World) -> None:
        order = Place("one", "BTC/USDT", Side.BUY, _TEN, _TEN)
        body = encode(PlaceBatch(world.clock.now_ns(), SECOND, (order,)))
        request = Request("POST", "https://main.test/orders", {}, body)

        answer = await world.transport.request(request, timeout_ns=SECOND)

        assert msgspec.json.decode(answer.body, type=Results).results[0].code == "NO_MARKET"

    in_world(story)


def test_a_stream_that_speaks_another_language_is_closed() -> None:
    async def story(world: World) -> None:
        stream = await world.transport.connect("wss://main.test/market", timeout_ns=SECOND)
        await stream.send("hello")
        with pytest.raises(Exception, match="stream closed"):
            await stream.receive()

    in_world(story)


def test_a_mute_stream_answers_pings_and_nothing_else() -> None:
    async def story(world: World) -> None:
        stream = await world.transport.connect("wss://main.test/user", timeout_ns=SECOND)
        await stream.send('{"op": "subscribe"}')
        await stream.receive()
        world.venue.deeds.mute_streams()
        await world.pass_s(10)
        await stream.send('{"op": "ping"}')

        assert await stream.receive() == b'{"kind":"pong"}'
        await stream.close()

    in_world(story)


# --- the market


@pytest.mark.unmeasured
def test_the_thin_market_is_a_book_that_never_crosses_and_always_comes_back() -> None:
    flow = ThinFlow(MarketId("main", SYMBOL), SeededIds(1).random, 2 * SECOND)
    book, prints, mids = Book(MARKET, HINT.sequence), 0, []
    (snapshot, *_) = flow.open(0)
    assert isinstance(snapshot, BookSnapshot)
    book.on_snapshot(snapshot)
    for frame in range(43_200):  # a day
        for event in flow.frame(frame * 2 * SECOND):
            if isinstance(event, BookDiff):
                book.on_diff(event)
            prints += isinstance(event, Trade)
        assert book.top is not None
        mids.append(book.top.bid + book.top.ask)

    assert book.counters.gaps == book.counters.crossed == 0
    assert book.counters.applied == 43_200
    assert prints > 10_000
    assert 2 * 19_000 < min(mids) < max(mids) < 2 * 21_000
    assert max(mids) - min(mids) > 100


def test_the_full_synthetic_market_can_be_had_instead() -> None:
    async def story(world: World) -> None:
        await world.pass_s(20)

        assert world.book.valid
        assert world.book.level_count(Side.BUY) > 50
        assert world.book.counters.applied > 150

    in_world(story, setup=VenueSetup(thin_ns=0))
