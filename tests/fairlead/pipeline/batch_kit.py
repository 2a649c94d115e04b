"""Dispatches at a venue that takes batches, and what it got."""

from collections.abc import Awaitable, Callable
from typing import Any

from fairlead.api import Place, RateLimit
from fairlead.model import Purpose
from fairlead.pipeline import BatchPolicy, BreakerPolicy, GatewayTerms, Throttle
from fairlead.testing import VirtualClock
from tests.fairlead.pipeline.pipeline_world import World, live_in, place


def live(
    act: Callable[[World], Awaitable[None]],
    *,
    limits: tuple[RateLimit, ...] = (),
    batching: BatchPolicy | None = None,
    **parts: Any,  # noqa: ANN401 - handed on to World, which says what they are
) -> World:
    """Let the venue run, act, and wait until nothing is in flight."""

    def make(clock: VirtualClock) -> World:
        throttle = Throttle(clock)
        throttle.bind(limits)
        terms = GatewayTerms(batching or BatchPolicy(), BreakerPolicy(), "main", throttle)
        return World(clock, terms=terms, **parts)

    return live_in(act, make)


def levels(world: World) -> list[list[int]]:
    return [[one.slot.level for one in intents] for _, intents in world.venue.submitted]


def late(level: int, at_ns: int, purpose: Purpose = Purpose.ENTRY) -> Place:
    return place(level=level, at_ns=at_ns, purpose=purpose)
