import asyncio
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.kernel import StandstillError, VirtualClock, VirtualLoop
from fairlead.testing import run_virtual

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
DELAYS = st.lists(st.integers(0, 10 * DAY), min_size=1, max_size=12)


@given(DELAYS, st.integers(0, 2 * 10**18))
def test_every_call_is_made_exactly_in_its_time(delays: list[int], start_ns: int) -> None:
    async def main(clock: VirtualClock) -> list[tuple[int, int]]:
        seen: list[tuple[int, int]] = []

        def note(at_ns: int) -> None:
            seen.append((at_ns, clock.now_ns()))

        for delay in delays:
            clock.call_at_ns(start_ns + delay, partial(note, start_ns + delay))
        await clock.sleep_until_ns(start_ns + max(delays) + 1)
        return seen

    seen = run_virtual(main, start_ns=start_ns)

    assert [asked for asked, _ in seen] == sorted(start_ns + delay for delay in delays)
    assert all(asked == was for asked, was in seen)


def test_calls_a_nanosecond_apart_are_told_apart() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        seen: list[int] = []
        for at_ns in (3, 1, 2):
            clock.call_at_ns(DAY + at_ns, lambda: seen.append(clock.now_ns() - DAY))
        await clock.sleep_until_ns(DAY + 9)
        return seen

    assert run_virtual(main) == [1, 2, 3]


@pytest.mark.parametrize("days", [120, 400, 4000])
def test_time_goes_on_after_months_and_years(days: int) -> None:
    async def main(clock: VirtualClock) -> list[int]:
        await clock.sleep_ns(days * DAY)
        times = [clock.now_ns()]
        for _ in range(5):
            await clock.sleep_ns(SECOND)
            times.append(clock.now_ns())
        clock.advance_to_ns(times[-1] + days * DAY)
        await clock.sleep_ns(1)
        return times

    times = run_virtual(main)

    assert times[0] >= days * DAY
    assert all(SECOND <= later - one < SECOND + 100 for one, later in pairwise(times))


def test_what_is_ready_runs_in_the_order_in_which_it_was_asked_for() -> None:
    async def main() -> list[int]:
        seen: list[int] = []
        loop = asyncio.get_running_loop()
        for number in range(50):
            loop.call_soon(seen.append, number)
        await asyncio.sleep(0)
        return seen

    assert run_virtual(main()) == list(range(50))


def test_sleep_gives_way_even_when_the_time_has_come() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        seen: list[str] = []
        asyncio.get_running_loop().call_soon(seen.append, "other")
        await clock.sleep_until_ns(clock.now_ns())
        seen.append("slept")
        return seen

    assert run_virtual(main) == ["other", "slept"]


def test_a_sleep_that_is_called_off_leaves_nothing_scheduled() -> None:
    async def main(clock: VirtualClock) -> int:
        sleep = asyncio.ensure_future(clock.sleep_ns(DAY))
        await clock.sleep_ns(5)
        sleep.cancel()
        await asyncio.gather(sleep, return_exceptions=True)
        await clock.sleep_ns(7)
        return clock.now_ns()

    assert run_virtual(main) == 12


def test_a_call_that_is_called_off_is_not_made() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        seen: list[int] = []
        clock.call_at_ns(5, lambda: seen.append(5)).cancel()
        await clock.sleep_ns(10)
        return seen

    assert run_virtual(main) == []


def test_a_call_for_the_past_is_made_in_the_next_turn_without_going_back() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        seen: list[int] = []
        clock.call_at_ns(3, lambda: seen.append(clock.now_ns()))
        await clock.sleep_ns(1)
        return seen

    assert run_virtual(main, start_ns=10) == [10]


@given(DELAYS, st.integers(0, 10 * DAY))
def test_a_jump_never_passes_over_what_is_due(delays: list[int], goal_ns: int) -> None:
    async def main(clock: VirtualClock) -> tuple[bool, int]:
        for delay in delays:
            clock.call_at_ns(delay, lambda: None)
        jumped = clock.advance_to_ns(goal_ns)
        return jumped, clock.now_ns()

    jumped, now_ns = run_virtual(main)

    assert jumped == (goal_ns == 0 or goal_ns < min(delays))
    assert now_ns == (goal_ns if jumped else 0)


def test_a_jump_never_passes_over_what_is_ready() -> None:
    async def main(clock: VirtualClock) -> list[bool]:
        tries = [clock.advance_to_ns(5)]
        asyncio.get_running_loop().call_soon(lambda: None)
        tries += [clock.advance_to_ns(9), clock.advance_to_ns(5)]
        await asyncio.sleep(0)
        return [*tries, clock.advance_to_ns(9), clock.advance_to_ns(3)]

    assert run_virtual(main) == [True, False, False, True, True]


def test_nothing_due_and_nothing_ready_is_a_standstill() -> None:
    async def main(clock: VirtualClock) -> None:
        await clock.sleep_ns(5)
        await asyncio.Event().wait()

    with pytest.raises(StandstillError, match="nothing is due"):
        run_virtual(main)


@pytest.mark.parametrize("what", ["thread", "executor", "socket", "signal"])
def test_nothing_real_can_be_waited_for(what: str) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        match what:
            case "thread":
                await asyncio.to_thread(lambda: None)
            case "executor":
                await loop.run_in_executor(None, lambda: None)
            case "socket":
                await asyncio.open_connection("127.0.0.1", 9)
            case _:
                loop.add_reader(0, lambda: None)

    with pytest.raises(RuntimeError, match=r"virtual time"):
        run_virtual(main())


def test_a_loop_starts_when_it_is_told_to_unless_something_waits_already() -> None:
    loop = VirtualLoop()
    loop.begin(7 * SECOND)
    assert (loop.now_ns, loop.time()) == (7 * SECOND, 0.0)
    loop.call_at(5, lambda: None)

    with pytest.raises(RuntimeError, match="waits for the time already"):
        loop.begin(8 * SECOND)
    loop.close()


class Wall:
    """A real clock that only moves when someone naps, or works."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += max(seconds, 1e-6)  # no real nap is shorter


def paced(pace: float | None) -> tuple[VirtualLoop, VirtualClock, Wall]:
    wall = Wall()
    loop = VirtualLoop(pace=pace, monotonic=wall.monotonic, nap=wall.nap)
    return loop, VirtualClock(loop), wall


@pytest.mark.parametrize(("pace", "wall_seconds"), [(1.0, 60), (60.0, 1), (600.0, 0.1)])
def test_a_paced_minute_takes_its_share_of_real_time(pace: float, wall_seconds: float) -> None:
    loop, clock, wall = paced(pace)

    async def main() -> None:
        for _ in range(60):
            await clock.sleep_ns(SECOND)

    loop.run_until_complete(main())
    loop.close()

    assert wall.now - 1000 == pytest.approx(wall_seconds, rel=0.001)
    assert max(wall.naps) <= 0.02 + 1e-9
    assert clock.now_ns() == 60 * SECOND


def test_pacing_makes_up_for_slow_work_and_changes_nothing_else() -> None:
    loop, clock, wall = paced(1.0)
    seen: list[int] = []

    async def main() -> None:
        for number in range(10):
            await clock.sleep_ns(SECOND)
            seen.append(clock.now_ns())
            wall.now += 3.0 if number == 2 else 0.1

    loop.run_until_complete(main())
    loop.close()

    assert seen == [number * SECOND for number in range(1, 11)]
    assert wall.now - 1000 == pytest.approx(10.1, rel=0.001)


def test_a_paced_clock_does_not_jump_ahead_of_real_time() -> None:
    loop, clock, wall = paced(1.0)

    async def main() -> list[bool]:
        tries = [clock.advance_to_ns(SECOND)]
        wall.now += 1.5
        return [*tries, clock.advance_to_ns(SECOND), clock.advance_to_ns(2 * SECOND)]

    tries = loop.run_until_complete(main())
    loop.close()

    assert tries == [False, True, False]


def test_what_comes_in_while_it_naps_is_handled_before_time_goes_on() -> None:
    loop, clock, wall = paced(1.0)
    seen: list[int] = []

    def interrupt(seconds: float) -> None:
        wall.now += seconds
        if len(wall.naps) == 3:
            loop.call_soon_threadsafe(lambda: seen.append(clock.now_ns()))
        wall.naps.append(seconds)

    loop._nap = interrupt
    loop.run_until_complete(clock.sleep_ns(SECOND))
    loop.close()

    assert seen == [0]


def test_two_runs_of_one_program_are_one_run() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []

        async def worker(name: str, period_ns: int) -> None:
            for _ in range(20):
                await clock.sleep_ns(period_ns)
                seen.append((name, clock.now_ns()))

        async with asyncio.TaskGroup() as group:
            for number in range(1, 6):
                group.create_task(worker(str(number), number * 1_000))
        return seen

    assert run_virtual(main) == run_virtual(main)


def test_what_is_due_at_one_instant_rings_in_the_order_of_setting_whatever_is_called_off() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        rung: list[int] = []
        for number in range(300):
            clock.call_at_ns(clock.now_ns() + 7, partial(rung.append, number))
            for ahead_ns in (3, 7, 9):
                clock.call_at_ns(clock.now_ns() + ahead_ns, lambda: rung.append(-1)).cancel()
        await clock.sleep_ns(10)
        return rung

    assert run_virtual(main) == list(range(300))


def test_the_loop_relies_on_what_this_python_still_does() -> None:
    # asyncio's own insides that virtual time stands on: a Python that changes them fails here.
    loop = VirtualLoop()
    loop.call_at(5, lambda: None)
    loop.call_soon(lambda: None)

    assert (len(loop._timers), len(loop._ready), loop._stopping) == (1, 1, False)
    assert loop._timers[0][2].when() == 5
    loop.run_until_complete(asyncio.sleep(6))
    assert (loop._timers, len(loop._ready)) == ([], 0)
    assert loop.time() == 6
    loop.close()


def test_timeouts_and_plain_sleeps_of_asyncio_run_in_virtual_time_too() -> None:
    async def main(clock: VirtualClock) -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 3600)
        await asyncio.sleep(3600)
        return clock.now_ns()

    assert run_virtual(main) == 3 * 3600 * SECOND


def test_both_its_clocks_show_one_time() -> None:
    async def main(clock: VirtualClock) -> bool:
        await clock.sleep_ns(5)
        return clock.now_ns() == clock.monotonic_ns() == 5

    assert run_virtual(main)
