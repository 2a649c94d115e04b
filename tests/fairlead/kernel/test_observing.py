import asyncio
from collections.abc import Callable

from fairlead.kernel import ObserverQueue, Observers, RunSetup
from fairlead.model import OrderState
from fairlead.store import Incident, Journal, PostureChanged
from fairlead.testing import (
    MemoryStore,
    MemoryTrace,
    VirtualClock,
    fill,
    intent,
    order_update,
    run_virtual,
    slot,
)
from fairlead.trackers import OrderTracker

SETUP = RunSetup("demo", "paper", 1, "hash", "USDT", 1, 2)
SECOND = 1_000_000_000


class World:
    """A queue before one plugin that notes what it hears."""

    def __init__(self, clock: VirtualClock, *, hooks: bool = True) -> None:
        self.clock = clock
        self.store = MemoryStore()
        self.trace = MemoryTrace()
        self.journal = Journal(self.store, clock, self.trace)
        self.heard: list[str] = []
        self.fails = False
        names = ("started", "order_changed", "filled", "alert", "stopped") if hooks else ()
        self.queue = ObserverQueue(
            Observers(
                {f"fairlead_{name}": [("plugin", self._note(name))] for name in names},
                clock.monotonic_ns,
                SECOND,
                3,
            ),
            self.journal,
            clock,
        )
        self.orders = OrderTracker(self.journal)
        self.orders.on_change(self.queue.order_changed)
        self.task = asyncio.get_running_loop().create_task(self.queue.run())

    def _note(self, name: str) -> Callable[..., None]:
        def hear(**news: object) -> None:
            shown = [str(news[key]) for key in sorted(_SHOWN & set(news))]
            self.heard.append(" ".join([name, *shown]))
            if self.fails:
                raise ValueError("oops")

        return hear


_SHOWN = {"instance", "before", "reason", "message", "name", "severity"}


def test_news_are_told_in_order() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        world = World(clock)
        world.queue.started(SETUP)
        world.orders.record(intent(1), 0)
        world.orders.apply_update(order_update(1, OrderState.OPEN), 0)
        world.queue.filled(fill(1), slot())
        world.orders.apply_update(order_update(1, OrderState.CANCELLED), 0)
        world.queue.stopped("demo", "asked to stop", True)
        await world.queue.drain()
        return [line.split()[0] for line in world.heard]

    assert run_virtual(main) == [
        "started",
        "order_changed",
        "filled",
        "order_changed",
        "stopped",
    ]


def test_an_order_that_moves_tells_where_it_comes_from() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        world = World(clock)
        world.orders.record(intent(1), 0)
        for state in (OrderState.OPEN, OrderState.CANCELLED):
            world.orders.apply_update(order_update(1, state), 0)
        await world.queue.drain()
        return world.heard

    assert run_virtual(main) == ["order_changed PENDING_CREATE", "order_changed OPEN"]


def test_nothing_is_told_before_it_is_durable() -> None:
    async def main(clock: VirtualClock) -> tuple[list[str], list[str]]:
        world = World(clock)
        world.store.holds = True
        world.journal.append(Incident(name="gap", detail="main"))
        await clock.sleep_ns(SECOND)
        early = list(world.heard)
        world.store.release()
        await clock.sleep_ns(SECOND)
        return early, world.heard

    early, heard = run_virtual(main)

    assert early == []
    assert len(heard) == 1


def test_the_last_words_of_a_run_wait_for_those_before() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        world = World(clock)
        world.store.holds = True
        world.journal.append(Incident(name="gap", detail="main"))
        await clock.sleep_ns(SECOND)  # the task waits for the disk with the first of them
        world.queue.stopped("demo", "asked to stop", True)
        last = asyncio.ensure_future(world.queue.drain())
        await clock.sleep_ns(SECOND)
        world.store.release()
        await last
        world.task.cancel()
        return [line.split()[0] for line in world.heard]

    assert run_virtual(main) == ["alert", "stopped"]


def test_when_the_store_fails_nothing_more_is_told() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        world = World(clock)
        world.store.holds = True
        world.journal.append(Incident(name="gap", detail="main"))
        await clock.sleep_ns(SECOND)
        world.store.fail()
        await world.queue.drain()
        return world.heard

    assert run_virtual(main) == []


def test_restraints_alert_and_their_end_does_not() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        world = World(clock)
        for level in ("REDUCING", "ACTIVE"):
            world.journal.append(PostureChanged(market="", level=level, rule="r", reason="why"))
        await world.queue.drain()
        return world.heard

    (line,) = run_virtual(main)

    assert "critical" in line


def test_an_observer_that_fails_is_an_incident_and_no_alert_of_its_own() -> None:
    async def main(clock: VirtualClock) -> tuple[list[str], int]:
        world = World(clock)
        world.fails = True
        world.queue.started(SETUP)
        await world.queue.drain()
        await clock.sleep_ns(SECOND)
        return [one.name for one in world.trace.of(Incident)], len(world.heard)

    assert run_virtual(main) == (["observer_failed"], 1)


def test_slow_observers_lose_the_oldest_news() -> None:
    async def main(clock: VirtualClock) -> tuple[int, int]:
        world = World(clock)
        for _ in range(10_050):
            world.queue.stopped("demo", "asked to stop", True)
        await world.queue.drain()
        return world.queue.dropped, len(world.heard)

    assert run_virtual(main) == (50, 10_000)


def test_without_observers_nothing_is_kept() -> None:
    async def main(clock: VirtualClock) -> tuple[list[str], int]:
        world = World(clock, hooks=False)
        world.queue.started(SETUP)
        await world.queue.drain()
        return world.heard, len(world.queue._queue)

    assert run_virtual(main) == ([], 0)
