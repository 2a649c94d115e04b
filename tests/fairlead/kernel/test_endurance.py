"""An engine that runs for hours needs no more memory than one that has run for a few.

`FAIRLEAD_ENDURANCE_HOURS` says how many simulated hours; a soak runs twelve, a night 72.
`FAIRLEAD_ENDURANCE_SEED` names the chance of its venue. Run with ``-s`` it tells what memory did.
"""

import gc
import os
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fairlead.kernel import VirtualClock
from fairlead.store import Durability, open_store
from fairlead.testing import run_virtual
from tests.fairlead.kernel.venue_world import START_NS, VenueWorld

HOURS = int(os.environ.get("FAIRLEAD_ENDURANCE_HOURS", "1"))
SEED = int(os.environ.get("FAIRLEAD_ENDURANCE_SEED", "3"))
# By then what is kept for late news has reached its bounds.
SETTLED_H = 8
MOST_GROWTH_MB_PER_DAY = 1.0
# What Python takes from the system at once, whoever asks for a little more.
ARENA_MB = 1.1

# Fills of the last hours, of which an engine asks for those of the last minutes.
_FILLS_ASKED_FOR = 500

#: How many entries each memory of an engine may have; the names end so.
BOUNDS: Mapping[str, int] = {
    "orders._closed": 5_000,
    "_told": 10_000,
    "_expected": 10_000,
    "_foreign": 10_000,
    "_external": 1_000,
    "reconciler._asked_ns": 100,
    "check._quotes._young": 2_048,
    "check._quotes._old": 2_048,
    "check._tops._young": 2_048,
    "check._tops._old": 2_048,
    "markout._due": 20_000,
    "markout._fills": 20_000,
    "markout._numbers": 20_000,
    "store._queue": 10_000,
    "_user._missing": 2_000,
    "observers._queue": 10_000,
}
#: Whatever has no bound of its own here holds what is live, or configured: a handful.
MOST_ELSEWHERE = 200

RATES: Mapping[str, float] = {
    "answer_lost": 0.02,
    "request_lost": 0.02,
    "late": 0.01,
    "slow_answer": 0.05,
    "error_after": 0.01,
    "duplicate": 0.1,
    "reorder": 0.05,
    "news_lost": 0.01,
    "gap": 0.005,
    "partial": 0.5,
    "hidden": 0.1,
}


def memories(root: object, name: str) -> Iterator[tuple[str, int]]:
    """Give the size of every container that the engine's own objects hold, by its path."""
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [(name, root)]
    while waiting:
        path, found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, dict | list | set | deque):
            yield path, len(found)
            parts = found.values() if isinstance(found, dict) else found
            # What is large is judged by its size; what is in it is of one kind.
            waiting += [(f"{path}[]", part) for part in list(parts)[:50]]
        elif isinstance(found, tuple):
            waiting += [(f"{path}()", part) for part in found[:50]]
        elif type(found).__module__.startswith("fairlead"):
            waiting += [(f"{path}.{key}", part) for key, part in attributes(found)]


def attributes(found: object) -> Iterator[tuple[str, object]]:
    yield from vars(found).items() if hasattr(found, "__dict__") else ()
    for kind in type(found).__mro__:
        slots = getattr(kind, "__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if hasattr(found, slot):
                yield slot, getattr(found, slot)


def bound_of(path: str) -> int:
    return next((most for end, most in BOUNDS.items() if path.endswith(end)), MOST_ELSEWHERE)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.unmeasured
@pytest.mark.timeout(60 + 60 * HOURS)
def test_over_the_hours_no_memory_grows_beyond_its_bound(tmp_path: Path) -> None:
    used: list[float] = []
    seen: dict[str, int] = {}

    async def main(clock: VirtualClock) -> None:
        # The database is on a disk, as it is where an engine runs for long.
        url = f"sqlite:///{tmp_path}/endurance.db"
        store = open_store(url, durability=Durability.NORMAL, inline=True)
        world = VenueWorld(clock, store=store, seed=SEED, remember=False)
        await world.begin()
        for name, rate in RATES.items():
            setattr(world.venue.knobs, name, rate)
        for _ in range(HOURS):
            for _ in range(6):
                await world.seconds(600)
                for path, size in memories(world.engine, "engine"):
                    seen[path] = max(size, seen.get(path, 0))
            # The venue's memory of its own past is not what is tried here.
            world.venue.truth.forget_fills(_FILLS_ASKED_FOR)
            gc.collect()
            used.append(resident_mb())
        world.venue.heal()
        await world.agree()
        assert (await world.end()).proven

    run_virtual(main, start_ns=START_NS)

    assert {path: size for path, size in seen.items() if size > bound_of(path)} == {}
    assert [end for end in BOUNDS if not any(path.endswith(end) for path in seen)] == []
    assert max(seen[path] for path in seen if path.endswith("orders._closed")) > 1_000
    settled = used[SETTLED_H - 1 :]
    days = max(len(settled) - 1, 0) / 24
    grown = settled[-1] - settled[0] if settled else 0.0
    hourly = " ".join(f"{mb:.1f}" for mb in used)
    print(  # noqa: T201 - whoever lets it run for hours wants to see what came of it
        f"\nseed {SEED}: {hourly} MB each hour; {grown:+.2f} MB in the last {24 * days:.0f} h"
    )
    assert grown <= MOST_GROWTH_MB_PER_DAY * days + ARENA_MB, used


@pytest.mark.parametrize("size", [0, MOST_ELSEWHERE + 1])
def test_a_memory_that_nobody_has_bounded_is_found(size: int) -> None:
    class Leak:
        def __init__(self) -> None:
            self.kept = list(range(size))

    Leak.__module__ = "fairlead.leak"

    found = dict(memories(Leak(), "leak"))

    assert (found["leak.kept"] > bound_of("leak.kept")) is (size > 0)
