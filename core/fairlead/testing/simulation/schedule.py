"""Draw a seed's bad luck: which faults there are at all, how hard, and when each one strikes."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from fairlead.api import Ids
from fairlead.testing.simulation.fault import FAULTS, Fault, FaultKind, FaultRange

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["draw_schedule"]

_MINUTE = 60_000_000_000
_CLASS_ON = 0.5
# A weather changes this often, so that a schedule can be cut where a violation needs it not.
_WEATHER_NS = (2 * _MINUTE, 10 * _MINUTE)
# How far a spell of weather differs from its class's own rate.
_SPELL = (0.3, 3.0)


def draw_schedule(
    ids: Ids, purpose: str, kinds: Collection[FaultKind], begin_ns: int, end_ns: int
) -> tuple[Fault, ...]:
    """Draw the faults from ``begin_ns`` to ``end_ns``, in the order in which they strike.

    What a seed draws for one class does not depend on which other classes are allowed.
    """
    faults: list[Fault] = []
    for kind in FaultKind:
        own = ids.random(f"{purpose}.{kind}")
        if own.random() < _CLASS_ON and kind in kinds:
            faults += _draw(own, kind, FAULTS[kind], begin_ns, end_ns)
    return tuple(sorted(faults))


def _draw(
    draw: Random, kind: FaultKind, limits: FaultRange, begin_ns: int, end_ns: int
) -> list[Fault]:
    if limits.rate is not None:
        return _weather(draw, kind, limits.rate, begin_ns, end_ns)
    gap_ns = _log_uniform(draw, *limits.gap_ns)
    faults: list[Fault] = []
    at_ns = begin_ns + int(draw.expovariate(1 / gap_ns))
    while at_ns < end_ns:
        length_ns = int(_log_uniform(draw, *limits.length_ns)) if limits.length_ns[0] else 0
        faults.append(Fault(at_ns, kind, min(length_ns, end_ns - at_ns), draw.random()))
        at_ns += length_ns + int(draw.expovariate(1 / gap_ns))
    return faults


def _weather(
    draw: Random, kind: FaultKind, rates: tuple[float, float], begin_ns: int, end_ns: int
) -> list[Fault]:
    rate = _log_uniform(draw, *rates)
    faults: list[Fault] = []
    at_ns = begin_ns
    while at_ns < end_ns:
        length_ns = min(int(_log_uniform(draw, *_WEATHER_NS)), end_ns - at_ns)
        faults.append(Fault(at_ns, kind, length_ns, min(rate * _log_uniform(draw, *_SPELL), 1.0)))
        at_ns += length_ns
    return faults


def _log_uniform(draw: Random, low: float, high: float) -> float:
    return math.exp(draw.uniform(math.log(low), math.log(high)))
