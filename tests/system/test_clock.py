"""The machine's own clock, within bounds that a busy machine keeps."""

import asyncio
import time

import pytest

from fairlead.kernel import SystemClock

pytestmark = pytest.mark.system

MS = 1_000_000
SECOND = 1_000_000_000
#: How late a busy machine may be.
LATE_NS = 2 * SECOND


def test_it_shows_the_wall_and_a_time_that_never_goes_back() -> None:
    clock = SystemClock()

    assert abs(clock.now_ns() - time.time_ns()) < SECOND
    times = [clock.monotonic_ns() for _ in range(1_000)]
    assert times == sorted(times)


def test_a_sleep_lasts_at_least_as_long_as_asked() -> None:
    async def main() -> int:
        clock = SystemClock()
        began_ns = clock.monotonic_ns()
        await clock.sleep_ns(30 * MS)
        await clock.sleep_ns(-5)
        return clock.monotonic_ns() - began_ns

    assert 30 * MS <= asyncio.run(main()) < 30 * MS + LATE_NS


def test_it_wakes_no_sooner_than_the_wall_shows_the_time() -> None:
    async def main() -> list[int]:
        clock = SystemClock()
        late: list[int] = []
        for delay_ns in (0, 1, 20 * MS, -SECOND):
            at_ns = clock.now_ns() + delay_ns
            await clock.sleep_until_ns(at_ns)
            late.append(clock.now_ns() - max(at_ns, 0))
        return late

    late = asyncio.run(main())

    assert all(0 <= one < LATE_NS for one in late[:3])


def test_it_gives_way_even_when_the_time_has_come() -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        asyncio.get_running_loop().call_soon(seen.append, "other")
        await SystemClock().sleep_until_ns(0)
        seen.append("slept")
        return seen

    assert asyncio.run(main()) == ["other", "slept"]


def test_a_call_comes_when_the_wall_shows_its_time_unless_it_is_called_off() -> None:
    async def main() -> list[int]:
        clock = SystemClock()
        at_ns = clock.now_ns() + 20 * MS
        seen: list[int] = []
        clock.call_at_ns(at_ns, lambda: seen.append(clock.now_ns() - at_ns))
        clock.call_at_ns(at_ns, lambda: seen.append(-1)).cancel()
        clock.call_at_ns(0, lambda: seen.append(0))
        while len(seen) < 2:
            await clock.sleep_ns(5 * MS)
        return seen

    soon, late = asyncio.run(main())

    assert soon == 0
    # The loop's own timer may be a clock tick early.
    assert -20 * MS < late < LATE_NS


def test_real_time_jumps_for_nobody() -> None:
    clock = SystemClock()

    assert clock.advance_to_ns(clock.now_ns())
    assert not clock.advance_to_ns(clock.now_ns() + 3_600 * SECOND)
