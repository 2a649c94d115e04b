"""The small parts of the kit: clocks, processes, stores, factories."""

import asyncio
from decimal import Decimal
from types import FunctionType

import pytest

import fairlead.testing
from fairlead.errors import StoreError
from fairlead.model import ClientId, MarketId, Side
from fairlead.store import CancelAsked, Incident, TraceHash
from fairlead.testing import (
    MemoryStore,
    MemoryTrace,
    StandstillError,
    StillClock,
    VirtualClock,
    VirtualProcess,
    book_view,
    client_id,
    diff,
    fill,
    instrument,
    intent,
    quote,
    run_virtual,
    snapshot,
    trade,
    view,
)

SECOND = 1_000_000_000


def test_everything_in_the_kit_is_there_and_documented() -> None:
    for name in fairlead.testing.__all__:
        thing = getattr(fairlead.testing, name)
        documented = isinstance(thing, type | FunctionType)  # the rest are values and types
        assert not documented or thing.__doc__, name


def test_a_coroutine_runs_in_virtual_time_from_the_start_that_is_given() -> None:
    async def plain() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    async def timed(clock: VirtualClock) -> int:
        await clock.sleep_ns(5)
        return clock.now_ns()

    assert run_virtual(plain()) == 3600
    assert run_virtual(timed, start_ns=7 * SECOND) == 7 * SECOND + 5


def test_what_is_left_running_is_called_off() -> None:
    ended: list[str] = []

    async def forever(clock: VirtualClock) -> None:
        try:
            await clock.sleep_ns(10**18)
        finally:
            ended.append("called off")

    async def main(clock: VirtualClock) -> None:
        task = asyncio.get_running_loop().create_task(forever(clock))
        await asyncio.sleep(0)
        assert not task.done()

    run_virtual(main)

    assert ended == ["called off"]


def test_a_wait_for_nothing_is_told_instead_of_waited_for() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StandstillError):
        run_virtual(main())


def test_a_still_clock_moves_when_it_is_told_and_calls_in_time() -> None:
    clock = StillClock(10)
    calls: list[tuple[str, int]] = []
    clock.call_at_ns(15, lambda: calls.append(("late", clock.now_ns())))
    clock.call_at_ns(12, lambda: calls.append(("early", clock.now_ns())))
    clock.call_at_ns(12, lambda: calls.append(("equal", clock.now_ns())))
    called_off = clock.call_at_ns(13, lambda: calls.append(("off", clock.now_ns())))
    clock.call_at_ns(99, lambda: calls.append(("far", clock.now_ns())))
    called_off.cancel()

    clock.pass_ns(10)

    assert calls == [("early", 12), ("equal", 12), ("late", 15)]
    assert clock.now_ns() == clock.monotonic_ns() == 20
    assert clock.advance_to_ns(20)
    assert not clock.advance_to_ns(21)


def test_nobody_can_wait_on_a_still_clock() -> None:
    clock = StillClock(10)

    async def main() -> None:
        await clock.sleep_until_ns(10)
        with pytest.raises(RuntimeError, match="a sleep of 5 ns"):
            await clock.sleep_until_ns(15)

    run_virtual(main())


def test_a_process_hears_stops_until_it_listens_no_more() -> None:
    process = VirtualProcess("demo:1")
    heard: list[str] = []
    end = process.on_stop(lambda: heard.append("a"))
    process.on_stop(lambda: heard.append("b"))

    process.stop()
    end()
    end()
    process.stop()

    assert heard == ["a", "b", "b"]
    assert process.identity() == "demo:1"


def test_markers_outlive_the_process() -> None:
    process = VirtualProcess()
    process.write_marker("HALTED", "why")
    again = VirtualProcess(markers=process.markers)

    assert again.read_marker("HALTED") == "why"
    assert again.read_marker("other") is None
    again.refuses_markers = True
    with pytest.raises(OSError, match="No space"):
        again.write_marker("HALTED", "more")


def test_a_memory_trace_keeps_records_and_hashes_them_as_any_trace() -> None:
    trace, plain = MemoryTrace(), TraceHash()
    one, two = Incident(name="a", detail=""), CancelAsked(order="x", reason="y")
    for sink in (trace, plain):
        sink.write(1, 5, one)
        sink.write(2, 6, two)

    assert trace.records == [one, two]
    assert trace.of(Incident) == [one]
    assert trace.lines[1] == (2, 6, two)
    assert trace.hexdigest == plain.hexdigest


def test_a_memory_store_is_durable_at_once_later_or_never() -> None:
    record = Incident(name="a", detail="")

    async def main(clock: VirtualClock) -> list[str]:
        store, told = MemoryStore(), list[str]()

        async def wait(seq: int) -> None:
            try:
                await store.durable(seq)
                told.append(f"{seq} at {clock.now_ns()}")
            except StoreError as error:
                told.append(str(error))

        await wait(store.append(0, record))
        store.holds = True
        waits = [asyncio.ensure_future(wait(store.append(0, record))) for _ in range(2)]
        await wait(1)
        await clock.sleep_ns(5)
        waits[1].cancel()
        store.release()
        await asyncio.gather(*waits, return_exceptions=True)
        store.holds = True
        last = asyncio.ensure_future(wait(store.append(0, record)))
        await asyncio.sleep(0)
        store.fail("the disk is full")
        await last
        with pytest.raises(StoreError):
            store.append(0, record)
        store.close()
        return told

    assert run_virtual(main) == [
        "1 at 0",
        "1 at 0",
        "2 at 5",
        "store memory: the disk is full",
    ]


def test_factories_make_things_that_fit_together() -> None:
    assert ClientId.parse(client_id(7)) == ClientId(1, 1, 7)
    assert intent(7).client_id == fill(7).client_id == client_id(7)
    assert intent().instrument.on_grid(intent().price)
    assert quote(Side.SELL, 2).level == 2
    assert snapshot().bids[0] == (9990, 500)
    assert diff(5).first_id == diff(5).last_id == 5
    assert (trade().price, trade().quantity) == (10010, 100)
    assert instrument(MarketId("hl", "BTC/USDC:USDC")).quote == "USDC"
    assert fill(fee="0.5").fee == Decimal("0.5")


def test_a_view_has_a_book_unless_it_must_not() -> None:
    assert view().mid == view(book=book_view()).mid == view().mark == 100
    assert view(without_book=True).mark is None
    assert view(base=7).position == 7
    assert view(base=7, position=-2).position == -2


def test_a_book_view_needs_two_sides() -> None:
    with pytest.raises(ValueError, match="two sides"):
        book_view(bids=())
