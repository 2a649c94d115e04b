"""Real work beside an engine in virtual time: it gets its turns, and the engine does not notice."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import pytest

from fairlead.kernel import SideLoop, VirtualClock, VirtualLoop

SECOND = 1_000_000_000


def run(main: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main)
    gc.collect()  # what was left open would warn now


LOOPS = pytest.mark.parametrize("make", [VirtualLoop, asyncio.SelectorEventLoop])


@LOOPS
def test_a_task_runs_on_a_loop_that_can_wait_for_sockets(make: Any) -> None:  # noqa: ANN401 - a loop's class
    seen: list[bytes] = []

    async def echo() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\n")
        seen.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
        server.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async def main() -> None:
        side = SideLoop(asyncio.get_running_loop())
        assert await side.settle(side.spawn(echo()), 5.0)
        await side.close()

    run(main(), make())

    assert seen == [b"hello\n"]


@LOOPS
def test_settling_ends_at_its_limit(make: Any) -> None:  # noqa: ANN401 - a loop's class
    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        side = SideLoop(asyncio.get_running_loop())
        task = side.spawn(forever())
        assert not await side.settle(task, 0.05)
        await side.close()
        assert task.cancelled()

    run(main(), make())


def test_in_virtual_time_it_gets_turns_while_the_engine_naps() -> None:
    wall = [0.0]
    turns: list[float] = []

    def nap(seconds: float) -> None:
        wall[0] += seconds

    async def count() -> None:
        while True:
            turns.append(wall[0])
            await asyncio.sleep(0)

    async def main() -> None:
        side = SideLoop(loop)
        side.spawn(count())
        await VirtualClock(loop).sleep_ns(10 * SECOND)
        assert len(turns) >= 40
        await side.close()

    loop = VirtualLoop(pace=10.0, monotonic=lambda: wall[0], nap=nap)
    run(main(), loop)


def test_what_it_hands_over_happens_between_the_engines_steps_at_its_time() -> None:
    wall = [0.0]
    seen: list[tuple[int, asyncio.AbstractEventLoop]] = []

    def nap(seconds: float) -> None:
        wall[0] += seconds

    async def main() -> None:
        side = SideLoop(loop)

        async def hand_over() -> None:
            side.engine_soon(lambda: seen.append((loop.now_ns, asyncio.get_running_loop())))

        clock = VirtualClock(loop)
        await clock.sleep_ns(SECOND)
        side.spawn(hand_over())
        await clock.sleep_ns(SECOND)
        await side.close()

    loop = VirtualLoop(pace=1.0, monotonic=lambda: wall[0], nap=nap)
    run(main(), loop)

    ((at_ns, where),) = seen
    assert SECOND <= at_ns < 2 * SECOND
    assert where is loop


def test_without_a_pace_it_gets_turns_as_real_time_passes() -> None:
    wall = [0.0]
    turns = [0]

    def monotonic() -> float:
        wall[0] += 0.001
        return wall[0]

    async def count() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    async def main() -> None:
        side = SideLoop(loop)
        side.spawn(count())
        clock = VirtualClock(loop)
        for _ in range(1_000):
            await clock.sleep_ns(SECOND)
        await side.close()

    loop = VirtualLoop(monotonic=monotonic)
    run(main(), loop)

    assert 20 <= turns[0] <= 120


def test_a_failure_beside_the_engine_stays_there() -> None:
    async def fail() -> None:
        raise RuntimeError

    async def main() -> None:
        side = SideLoop(asyncio.get_running_loop())
        task = side.spawn(fail())
        assert await side.settle(task, 1.0)
        assert isinstance(task.exception(), RuntimeError)
        await side.close()

    run(main(), VirtualLoop())


def test_after_its_end_it_gets_no_more_turns() -> None:
    async def main() -> None:
        side = SideLoop(loop)
        await side.close()
        assert loop.beside is None
        await VirtualClock(loop).sleep_ns(SECOND)

    loop = VirtualLoop()
    run(main(), loop)
