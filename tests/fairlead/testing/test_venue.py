import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model import (
    Accepted,
    BalanceUpdate,
    CancelRequest,
    Fill,
    Liquidity,
    OrderState,
    OrderUpdate,
    Outcome,
    RejectClass,
    Rejected,
    Side,
    StreamState,
    StreamStatus,
    Unavailable,
    Unknown,
    VenueEvent,
    trimmed,
)
from fairlead.testing import (
    MARKET,
    Script,
    ScriptedVenue,
    VirtualClock,
    client_id,
    instrument,
    intent,
    run_virtual,
    snapshot,
)

AnswerT = TypeVar("AnswerT")

S = OrderState
MS = 1_000_000
SECOND = 1_000_000_000
ONE = client_id(1)
TRADED = instrument(fees=("0.001", "0.002"))


class World:
    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.heard: list[tuple[int, VenueEvent]] = []
        self.venue = ScriptedVenue(clock, instruments=[TRADED], latency_ns=5 * MS)

    def hear(self, event: VenueEvent) -> None:
        self.heard.append((self.clock.now_ns(), event))

    def orders(self) -> list[str]:
        told = (one for _, one in self.heard if isinstance(one, OrderUpdate))
        return [f"{one.state} {one.filled}" for one in told]


def live(act: Callable[[World], Coroutine[Any, Any, None]]) -> World:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        run = asyncio.get_running_loop().create_task(world.venue.run(world.hear))
        await asyncio.sleep(0)
        await act(world)
        await clock.sleep_ns(100 * MS)
        run.cancel()
        return world

    return run_virtual(main)


def cancel(number: int = 1) -> CancelRequest:
    return CancelRequest(client_id(number), MARKET, None, "why")


def test_it_connects_at_once_and_publishes_what_it_is_told() -> None:
    async def act(world: World) -> None:
        world.venue.publish(snapshot())
        world.venue.publish(StreamStatus.ENDED)

    world = live(act)

    assert [event for _, event in world.heard] == [
        StreamState("main", 0, StreamStatus.CONNECTED),
        snapshot(),
        StreamState("main", 0, StreamStatus.ENDED),
    ]


def test_an_order_rests_and_is_cancelled_as_asked() -> None:
    outcomes: list[Outcome] = []

    async def act(world: World) -> None:
        outcomes.extend(await world.venue.submit([intent(1)]))
        (update,) = _known(await world.venue.open_orders())
        assert (update.client_id, update.state) == (ONE, S.OPEN)
        outcomes.extend(await world.venue.cancel([cancel(), cancel(), cancel(2)]))

    world = live(act)

    gone = Rejected("NO_SUCH_ORDER", RejectClass.NOT_FOUND)
    assert outcomes == [Accepted("v1"), Accepted("v1"), gone, gone]
    assert world.orders() == ["OPEN 0", "CANCELLED 0"]
    assert world.venue.exchange.open_orders() == ()
    assert [at for at, _ in world.venue.cancelled] == [20 * MS]


def test_news_and_answer_take_the_same_time() -> None:
    times: list[int] = []

    async def act(world: World) -> None:
        await world.venue.submit([intent(1)])
        times.append(world.clock.now_ns())

    world = live(act)

    assert times == [10 * MS]
    assert {at for at, one in world.heard if isinstance(one, OrderUpdate)} == {10 * MS}


def test_a_fill_moves_order_and_balances_and_is_told() -> None:
    async def act(world: World) -> None:
        await world.venue.submit([intent(1, price=100, quantity=2, traded=TRADED)])
        world.venue.exchange.fill(ONE, "0.5")
        await world.clock.sleep_ns(SECOND)
        world.venue.exchange.fill(ONE, price="99", liquidity=Liquidity.TAKER)

    world = live(act)

    fills = [one for _, one in world.heard if isinstance(one, Fill)]
    assert [f"{one.quantity} @ {one.price}, {trimmed(one.fee)}" for one in fills] == [
        "0.5 @ 100, 0.05",
        "1.5 @ 99, 0.297",
    ]
    assert world.orders() == ["OPEN 0", "PARTIALLY_FILLED 0.5", "FILLED 2.0"]
    totals = {one.asset: one.total for one in world.venue.exchange.balances()}
    assert totals == {"ALT": 52, "USDT": Decimal("4801.153")}
    assert world.venue.exchange.fills_since(SECOND) == (fills[1],)


def test_open_orders_lock_what_they_need() -> None:
    async def act(world: World) -> None:
        await world.venue.submit(
            [intent(1, price=100, quantity=2), intent(2, Side.SELL, price=101, quantity=3)]
        )

    balances = live(act).venue.exchange.balances()

    assert {one.asset: one.free for one in balances} == {"ALT": 47, "USDT": 4800}
    assert {one.asset: one.locked for one in balances} == {"ALT": 3, "USDT": 200}


def test_a_late_fill_closes_what_was_cancelled() -> None:
    async def act(world: World) -> None:
        await world.venue.submit([intent(1, quantity=2)])
        await world.venue.cancel([cancel()])
        world.venue.exchange.fill(ONE, "0.5")
        world.venue.exchange.fill(ONE)

    world = live(act)

    assert world.orders() == ["OPEN 0", "CANCELLED 0", "CANCELLED 0.5", "FILLED 2.0"]


def test_one_client_id_makes_one_order() -> None:
    async def act(world: World) -> None:
        assert await world.venue.submit([intent(1), intent(1)]) == (
            Accepted("v1"),
            Rejected("DUPLICATE_ID", RejectClass.DUPLICATE),
        )

    live(act)


@pytest.mark.parametrize(
    ("script", "lands"),
    [
        (Script(outcome=Unknown("lost")), True),
        (Script(outcome=Unknown("lost"), lands=False), False),
        (Script(outcome=Rejected("no", RejectClass.PRICE), lands=False), False),
        (Script(outcome=Unknown("lost"), late_ns=SECOND), True),
    ],
)
def test_what_is_said_and_what_happens_are_two_things(script: Script, lands: bool) -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(script)
        assert await world.venue.submit([intent(1)]) == (script.outcome,)
        assert world.clock.now_ns() == 10 * MS
        await world.clock.sleep_ns(2 * SECOND)
        assert (await world.venue.order(MARKET, ONE) is not None) == lands

    live(act)


def test_a_late_landing_lands_although_nobody_waits() -> None:
    async def act(world: World) -> None:
        world.venue.submits.append(Script(late_ns=SECOND))
        call = asyncio.ensure_future(world.venue.submit([intent(1)]))
        await world.clock.sleep_ns(MS)
        call.cancel()
        await world.clock.sleep_ns(SECOND)
        assert world.venue.exchange.order(ONE) is None
        await world.clock.sleep_ns(10 * MS)
        assert world.venue.exchange.order(ONE) is not None

    live(act)


def test_a_connector_may_raise_answer_too_little_or_never() -> None:
    async def act(world: World) -> None:
        world.venue.submits.extend(
            [Script(raises=ValueError("oops")), Script(short=1), Script(silent=True)]
        )
        with pytest.raises(ValueError, match="oops"):
            await world.venue.submit([intent(1)])
        assert len(await world.venue.submit([intent(2), intent(3)])) == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await world.venue.submit([intent(4)])
        assert len(world.venue.exchange.open_orders()) == 4

    live(act)


def test_a_query_may_be_unavailable_or_silent() -> None:
    async def act(world: World) -> None:
        venue = world.venue
        assert [update.asset for update in _known(await venue.balances())] == ["ALT", "USDT"]
        assert await venue.positions() == ()
        assert await venue.fills(0) == ()
        assert await venue.order(MARKET, ONE) is None
        venue.unavailable |= {"balances", "open_orders", "fills", "order", "positions"}
        for answer in (
            await venue.balances(),
            await venue.open_orders(),
            await venue.fills(0),
            await venue.order(MARKET, ONE),
            await venue.positions(),
        ):
            assert isinstance(answer, Unavailable)
        venue.silent.add("balances")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await venue.balances()

    world = live(act)

    assert [name for _, name in world.venue.asked].count("balances") == 3


def _known(answer: tuple[AnswerT, ...] | Unavailable) -> tuple[AnswerT, ...]:
    assert not isinstance(answer, Unavailable)
    return answer


def test_a_mute_venue_says_nothing_and_queries_tell_the_truth() -> None:
    async def act(world: World) -> None:
        world.venue.exchange.mute = True
        await world.venue.submit([intent(1)])
        world.venue.exchange.end(ONE, S.EXPIRED)
        world.venue.exchange.deposit("BTC", "1.5")
        update = await world.venue.order(MARKET, ONE)
        assert isinstance(update, OrderUpdate)
        assert update.state is S.EXPIRED

    world = live(act)

    assert len(world.heard) == 1
    assert "BTC" in [one.asset for one in world.venue.exchange.balances()]


def test_a_run_ends_as_the_test_says() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        ends = []
        for error in (None, ConnectionError("gone")):
            venue = ScriptedVenue(clock)
            venue.finish()  # without effect before it runs
            run = asyncio.get_running_loop().create_task(venue.run(lambda event: None))
            await asyncio.sleep(0)
            venue.finish(error)
            venue.finish()
            ends += [repr(end) for end in await asyncio.gather(run, return_exceptions=True)]
            with pytest.raises(RuntimeError, match="nobody runs the venue main"):
                venue.publish(snapshot())
        return ends

    assert run_virtual(main) == ["None", "ConnectionError('gone')"]


def test_it_notes_what_the_engine_asks_for() -> None:
    async def act(world: World) -> None:
        world.venue.resync("ALT/USDT")
        world.venue.exchange.deposit("USDT", "-1000")

    world = live(act)

    assert world.venue.resyncs == ["ALT/USDT"]
    assert world.venue.sequence_rule("ALT/USDT").name == "contiguous"
    assert [one.total for _, one in world.heard if isinstance(one, BalanceUpdate)] == [4000]


STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "fill", "cancel"]), st.integers(1, 4)), max_size=15
)


@given(STEPS)
def test_no_coin_is_lost_or_invented(steps: list[tuple[str, int]]) -> None:
    async def act(world: World) -> None:
        exchange = world.venue.exchange
        for what, number in steps:
            side = Side.BUY if number % 2 else Side.SELL
            if what == "create":
                exchange.create(intent(number, side, price=100, quantity=2))
            elif what == "cancel":
                exchange.cancel(client_id(number))
            elif exchange.order(client_id(number)) in exchange.open_orders():
                exchange.fill(client_id(number), "0.5")

    world = live(act)

    exchange = world.venue.exchange
    totals = {one.asset: one.total for one in exchange.balances()}
    bought = sum(one.side.sign * one.quantity for one in exchange.fills)
    paid = sum(one.side.sign * one.price * one.quantity + one.fee for one in exchange.fills)
    assert totals == {"ALT": 50 + bought, "USDT": 5000 - paid}
    assert all(one.free >= 0 and one.locked >= 0 for one in exchange.balances())
