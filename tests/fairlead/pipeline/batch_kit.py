"""Dispatches at a venue that takes batches, and what it got."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fairlead.api import Place, RateLimit
from fairlead.model import Purpose
from fairlead.pipeline import BatchPolicy, BreakerPolicy, GatewayTerms, Throttle
from fairlead.testing import VirtualClock, run_virtual
from tests.fairlead.pipeline.pipeline_world import MS, World, place


def live(
    act: Callable[[World], Awaitable[None]],
    *,
    limits: tuple[RateLimit, ...] = (),
    batching: BatchPolicy | None = None,
    **parts: Any,  # noqa: ANN401 - for World
) -> World:
    """Let the venue run, act, and wait until nothing is in flight."""

    async def main(clock: VirtualClock) -> World:
        throttle = Throttle(clock)
        throttle.bind(limits)
        terms = GatewayTerms(batching or BatchPolicy(), BreakerPolicy(), "main", throttle)
        world = World(clock, terms=terms, **parts)
        venue = asyncio.get_running_loop().create_task(world.venue.run(world.hear))
        await asyncio.sleep(0)
        await act(world)
        await world.gateway.drain()
        await clock.sleep_ns(100 * MS)
        venue.cancel()
        return world

    return run_virtual(main)


def levels(world: World) -> list[list[int]]:
    return [[one.slot.level for one in intents] for _, intents in world.venue.submitted]


def late(level: int, at_ns: int, purpose: Purpose = Purpose.ENTRY) -> Place:
    return place(level=level, at_ns=at_ns, purpose=purpose)
