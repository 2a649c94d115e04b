from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from fairlead.kernel import CoreFailure, Part, Phase, Tick, Ticker, instance_offset_ns
from fairlead.testing import VirtualClock, VirtualLoop, run_virtual

SECOND = 1_000_000_000
MS = 1_000_000


class SlowClock(VirtualClock):
    """A virtual clock on which work takes time and which somebody may set back."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(loop)
        self._off_ns = 0

    @override
    def now_ns(self) -> int:
        return super().now_ns() + self._off_ns

    def work_ns(self, duration_ns: int) -> None:
        assert self.advance_to_ns(super().now_ns() + duration_ns)

    def set_back_ns(self, by_ns: int) -> None:
        self._off_ns -= by_ns

    @override
    async def sleep_ns(self, duration_ns: int) -> None:
        await super().sleep_until_ns(super().now_ns() + duration_ns)

    @override
    async def sleep_until_ns(self, at_ns: int) -> None:
        while (left_ns := at_ns - self.now_ns()) > 0:
            await self.sleep_ns(left_ns)


def slow(clock: VirtualClock) -> SlowClock:
    return SlowClock(clock._loop)


def beats(
    count: int,
    *,
    tick_ns: int = SECOND,
    offset_ns: int = 0,
    start_ns: int = 0,
    work: dict[int, int] | None = None,
    set_back: dict[int, int] | None = None,
) -> tuple[list[Tick], Ticker]:
    """Beat ``count`` times; ``work`` and ``set_back`` = nanoseconds by number of the tick."""

    async def main(clock: VirtualClock) -> tuple[list[Tick], Ticker]:
        own = slow(clock)
        ticker = Ticker(own, tick_ns, offset_ns)
        seen: list[Tick] = []

        def beat(tick: Tick) -> None:
            assert own.now_ns() >= tick.at_ns
            seen.append(tick)
            own.work_ns((work or {}).get(tick.number, 0))
            own.set_back_ns((set_back or {}).get(tick.number, 0))

        ticker.add(Phase.DECIDE, "beat", beat)
        await ticker.run(lambda: len(seen) == count)
        return seen, ticker

    return run_virtual(main, start_ns=start_ns)


@given(
    st.integers(10 * MS, 60 * SECOND),
    st.integers(0, 100 * SECOND),
    st.integers(0, 2 * 10**18),
)
def test_ticks_lie_on_whole_multiples_of_the_tick_plus_the_offset(
    tick_ns: int, offset_ns: int, start_ns: int
) -> None:
    seen, ticker = beats(5, tick_ns=tick_ns, offset_ns=offset_ns, start_ns=start_ns)

    assert all((tick.at_ns - offset_ns) % tick_ns == 0 for tick in seen)
    assert start_ns < seen[0].at_ns <= start_ns + tick_ns
    assert [tick.at_ns - seen[0].at_ns for tick in seen] == [n * tick_ns for n in range(5)]
    assert [tick.number for tick in seen] == [1, 2, 3, 4, 5]
    assert (ticker.ticks, ticker.overruns, ticker.skipped) == (5, 0, 0)


@pytest.mark.unmeasured
def test_a_day_of_ticks_does_not_drift() -> None:
    seen, ticker = beats(86_400, offset_ns=123_456_789, start_ns=1_767_225_600 * SECOND)

    assert seen[-1].at_ns - seen[0].at_ns == 86_399 * SECOND
    assert ticker.overruns == 0


def test_a_tick_that_overruns_is_counted_and_the_missed_ones_are_skipped() -> None:
    seen, ticker = beats(4, work={2: 3_500 * MS})

    assert [tick.at_ns // MS for tick in seen] == [1000, 2000, 6000, 7000]
    assert [tick.skipped for tick in seen] == [0, 0, 3, 0]
    assert (ticker.overruns, ticker.skipped) == (1, 3)


def test_a_tick_that_ends_just_before_the_next_is_no_overrun() -> None:
    seen, ticker = beats(3, work={1: SECOND - 1, 2: SECOND})

    assert [tick.at_ns // MS for tick in seen] == [1000, 2000, 4000]
    assert (ticker.overruns, ticker.skipped) == (1, 1)


@given(st.lists(st.integers(0, 5_000 * MS), min_size=6, max_size=6))
def test_there_is_never_a_burst(work: list[int]) -> None:
    seen, ticker = beats(6, work=dict(enumerate(work, 1)))

    steps = [later.at_ns - tick.at_ns for tick, later in pairwise(seen)]
    assert all(step >= SECOND for step in steps)
    assert [step // SECOND - 1 for step in steps] == [tick.skipped for tick in seen[1:]]
    assert ticker.overruns == sum(one >= SECOND for one in work)


def test_a_clock_that_is_set_back_is_followed_and_nothing_is_caught_up() -> None:
    seen, ticker = beats(4, set_back={2: 3_600 * SECOND})

    assert [tick.at_ns // SECOND for tick in seen] == [1, 2, -3597, -3596]
    assert (ticker.overruns, ticker.skipped) == (0, 0)


def test_a_clock_that_is_set_back_between_ticks_does_not_stop_them() -> None:
    true_ns: list[int] = []

    async def main(clock: VirtualClock) -> None:
        own = slow(clock)
        ticker = Ticker(own, SECOND)

        def beat(tick: Tick) -> None:
            true_ns.append(own.monotonic_ns())
            if tick.number == 2:
                clock.call_at_ns(clock.now_ns() + SECOND // 2, lambda: own.set_back_ns(14 * SECOND))

        ticker.add(Phase.DECIDE, "beat", beat)
        await ticker.run(lambda: len(true_ns) == 5)

    run_virtual(main)

    assert all(after - before <= 2 * SECOND for before, after in pairwise(true_ns))


def test_a_clock_that_is_set_back_a_little_waits_for_its_tick() -> None:
    seen, _ = beats(3, set_back={1: 300 * MS})

    assert [tick.at_ns // SECOND for tick in seen] == [1, 2, 3]


def test_phases_run_in_their_order_and_parts_as_they_were_added() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        ticker = Ticker(clock, SECOND)
        seen: list[str] = []

        def note(label: str, tick: Tick) -> None:
            seen.append(label)

        for phase in reversed(Phase):
            for name in ("a", "b"):
                label = f"{phase} {name}"
                ticker.add(phase, label, partial(note, label))
        await ticker.run(lambda: bool(seen))
        return seen

    assert run_virtual(main) == [f"{phase} {name}" for phase in Phase for name in ("a", "b")]


def test_a_part_that_fails_is_counted_and_the_others_go_on() -> None:
    async def main(clock: VirtualClock) -> tuple[int, int, list[str]]:
        ticker = Ticker(clock, SECOND)
        told: list[str] = []
        others: list[int] = []

        def fail(tick: Tick) -> None:
            raise ValueError(tick.number)

        part = ticker.add(Phase.DECIDE, "strategy", fail, core=False)
        ticker.add(Phase.DECIDE, "other", lambda tick: others.append(tick.number), core=False)
        ticker.add(Phase.REPORT, "report", lambda tick: others.append(-tick.number))
        ticker.on_failure(lambda part, error: told.append(f"{part.name}: {error}"))
        await ticker.run(lambda: ticker.ticks == 3)
        return part.failures, len(others), told

    assert run_virtual(main) == (3, 6, ["strategy: 1", "strategy: 2", "strategy: 3"])


def test_a_core_part_that_fails_ends_the_ticking_in_order() -> None:
    async def main(clock: VirtualClock) -> tuple[str, str, list[str], list[int], int]:
        ticker = Ticker(clock, SECOND)
        told: list[str] = []
        after: list[int] = []

        def fail(tick: Tick) -> None:
            if tick.number == 2:
                raise ValueError("oops")

        ticker.add(Phase.GUARD, "risk", fail)
        ticker.add(Phase.DISPATCH, "pipeline", lambda tick: after.append(tick.number))
        ticker.on_failure(lambda part, error: told.append(f"{part.name}: {error}"))
        with pytest.raises(CoreFailure) as caught:
            await ticker.run(lambda: False)
        return caught.value.part, repr(caught.value.__cause__), told, after, ticker.ticks

    assert run_virtual(main) == ("risk", "ValueError('oops')", ["risk: oops"], [1], 2)


def test_a_part_that_was_taken_out_is_called_no_more() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        ticker = Ticker(clock, SECOND)
        seen: list[int] = []
        part: Part = ticker.add(Phase.DECIDE, "part", lambda tick: seen.append(tick.number))
        ticker.add(
            Phase.REPORT, "end", lambda tick: ticker.remove(part) if tick.number == 2 else None
        )
        await ticker.run(lambda: ticker.ticks == 4)
        return seen

    assert run_virtual(main) == [1, 2]


def test_a_tick_needs_a_length() -> None:
    with pytest.raises(ValueError, match="a tick of 0 ns is no tick"):
        run_virtual(_with_tick(0))


async def _with_tick(tick_ns: int) -> Ticker:
    loop = VirtualLoop()
    loop.close()
    return Ticker(VirtualClock(loop), tick_ns)


@given(st.text(max_size=20), st.integers(10 * MS, 60 * SECOND))
def test_an_instance_has_its_place_within_the_second(name: str, tick_ns: int) -> None:
    offset_ns = instance_offset_ns(name, tick_ns)

    assert 0 <= offset_ns < min(tick_ns, SECOND)
    assert offset_ns == instance_offset_ns(name, tick_ns)


def test_a_fleet_is_spread_over_the_second() -> None:
    offsets = sorted(instance_offset_ns(f"bot{number}", SECOND) for number in range(100))

    assert len(set(offsets)) == 100
    assert all(
        any(low <= one < low + SECOND // 5 for one in offsets)
        for low in range(0, SECOND, SECOND // 5)
    )
