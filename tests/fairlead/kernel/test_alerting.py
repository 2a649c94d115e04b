"""What a person is told of, when, and that it waits for the disk unless the disk is the trouble."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from fairlead.api import Alert, NotifierContext, NotifyError, Record, Registry, Severity
from fairlead.config import EngineSettings, Settings
from fairlead.errors import ConfigError
from fairlead.kernel import (
    AccountFigures,
    AlertLimit,
    AlertQueue,
    AlertWatch,
    Cause,
    Post,
    Tick,
    build_notifiers,
    cause_of,
)
from fairlead.model import Accepted, Side, Unknown
from fairlead.store import AlertRaised, ControlAsked, Incident, Journal, PostureChanged, RunEnded
from fairlead.testing import (
    MemoryStore,
    MemoryTrace,
    StillClock,
    VirtualClock,
    client_id,
    intent,
    run_virtual,
)
from fairlead.trackers import OrderTracker
from tests.fairlead.ledger.factories import ALT, D, account, fill

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        (Incident("stream_lost", "main: cut"), Cause(Severity.WARNING, "stream_lost", "main: cut")),
        (Incident("overfill", "1"), Cause(Severity.CRITICAL, "overfill", "1")),
        (
            PostureChanged("", "HALTED", "max_drawdown", "5 %"),
            Cause(Severity.CRITICAL, "halted", "account: max_drawdown: 5 %"),
        ),
        (
            PostureChanged("main:ALT/USDT", "REDUCING", "daily_loss", "2 %"),
            Cause(Severity.WARNING, "reducing", "main:ALT/USDT: daily_loss: 2 %"),
        ),
        (PostureChanged("", "ACTIVE", "", ""), None),
        (PostureChanged("", "CANCEL_ONLY", "warm_up", ""), None),
        (AlertRaised("info", "x", "y"), Cause(Severity.INFO, "x", "y")),
        (RunEnded("asked to stop", proven=True), None),
        (
            RunEnded("halted", proven=True),
            Cause(Severity.CRITICAL, "stopped", "halted; no order of ours is left"),
        ),
        (
            RunEnded("asked to stop", proven=False),
            Cause(
                Severity.CRITICAL,
                "orders_left",
                "asked to stop; own orders may be left at the venue",
            ),
        ),
        (ControlAsked("cli", "pause", {}), None),
    ],
)
def test_some_records_are_for_people(record: Record, cause: Cause | None) -> None:
    assert cause_of(record) == cause


class Watched:
    """A watch on a desk that has no more than what the watch looks at."""

    def __init__(self) -> None:
        self.trace = MemoryTrace()
        journal = Journal(MemoryStore(), StillClock(), self.trace)
        self.orders = OrderTracker(journal)
        self.ledger = account(ALT="10", USDT="100")
        self.figures = AccountFigures()
        desk: Any = self
        self._watch = AlertWatch(journal, lambda: desk)

    def tick(self, at_ns: int) -> None:
        """Let one tick pass."""
        self._watch.look(Tick(1, at_ns, 0))

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(one.severity, one.name, one.detail) for one in self.trace.of(AlertRaised)]


def test_an_order_that_stays_unproven_is_told_once() -> None:
    watched = Watched()
    watched.orders.record(intent(1), 0)
    order = watched.orders.get(client_id(1))
    assert order is not None
    order.mark_sent(5 * SECOND)
    watched.orders.apply_outcome(client_id(1), Unknown("timeout"), 6 * SECOND)

    watched.tick(65 * SECOND)
    assert watched.told == []
    for second in (66, 67, 90):
        watched.tick(second * SECOND)

    detail = f"order {client_id(1)[-8:]} on main:ALT/USDT is UNKNOWN for over 60 s"
    assert watched.told == [("critical", "order_unproven", detail)]


def test_an_order_that_is_proven_in_time_is_not_told() -> None:
    watched = Watched()
    watched.orders.record(intent(1), 0)
    watched.tick(59 * SECOND)
    watched.orders.apply_outcome(client_id(1), Accepted("v1"), 60 * SECOND)

    watched.tick(61 * SECOND)

    assert watched.told == []


def test_each_day_ends_with_a_statement_of_that_day() -> None:
    watched = Watched()
    watched.figures.equity = D(120)
    watched.tick(DAY - SECOND)
    watched.ledger.on_mark(ALT, D(2), DAY)
    watched.ledger.on_fill("alt", fill(Side.BUY, "1", "1.5"))
    watched.figures.equity = D("1120.5")

    watched.tick(DAY)
    watched.tick(DAY + SECOND)
    watched.figures.equity = None
    watched.tick(2 * DAY)

    assert watched.told == [
        (
            "info",
            "daily_statement",
            "equity 120.00 → 1,120.50 USDT; alt trading PnL 0.50, 1 fills",
        ),
        (
            "info",
            "daily_statement",
            "equity 1,120.50 → unavailable USDT; alt trading PnL 0.00, 0 fills",
        ),
    ]


# --- from the journal to the post


class Told:
    """Where alerts go in these tests."""

    def __init__(self, clock: VirtualClock) -> None:
        self.store = MemoryStore()
        self.journal = Journal(self.store, clock)
        self.alerts: list[Alert] = []
        self.queue = AlertQueue(
            self.journal, ("demo", "demo-1"), self.alerts.append, AlertLimit(1_000)
        )

    @property
    def names(self) -> list[tuple[str, int]]:
        return [(one.name, one.count) for one in self.alerts]


def told(script: Callable[[Told, VirtualClock], Awaitable[None]]) -> Told:
    kept: list[Told] = []

    async def main(clock: VirtualClock) -> None:
        kept.append(Told(clock))
        running = asyncio.create_task(kept[0].queue.run())
        await script(kept[0], clock)
        running.cancel()
        await asyncio.wait([running])

    run_virtual(main)
    return kept[0]


def test_an_alert_leaves_once_its_record_is_durable() -> None:
    async def script(told: Told, clock: VirtualClock) -> None:
        told.store.holds = True
        told.journal.append(Incident("stream_lost", "main"))
        await clock.sleep_ns(100)
        assert told.alerts == []
        told.store.release()
        await clock.sleep_ns(100)
        assert told.names == [("stream_lost", 1)]

    (alert,) = told(script).alerts

    assert (alert.instance, alert.run, alert.detail, alert.number) == ("demo", "demo-1", "main", 1)


def test_when_the_store_fails_people_are_told_all_the_same() -> None:
    async def script(told: Told, clock: VirtualClock) -> None:
        told.store.holds = True
        told.journal.append(Incident("a", ""))
        told.journal.append(Incident("b", ""))
        await clock.sleep_ns(10)
        told.store.fail()
        await clock.sleep_ns(10)
        told.journal.append(Incident("c", ""))
        await clock.sleep_ns(10)

    found = told(script)

    assert [one.name for one in found.alerts] == ["store_failed", "a", "b", "c"]
    assert found.alerts[0].severity is Severity.CRITICAL
    assert "the disk is full" in found.alerts[0].detail


def test_repetitions_are_held_and_told_with_the_next_record_after_the_window() -> None:
    async def script(told: Told, clock: VirtualClock) -> None:
        for _ in range(5):
            told.journal.append(Incident("a", ""))
            await clock.sleep_ns(100)
        assert told.names == [("a", 1)]
        await clock.sleep_ns(1_000)
        told.journal.append(ControlAsked("cli", "pause", {}))
        await clock.sleep_ns(10)

    assert told(script).names == [("a", 1), ("a", 4)]


def test_the_end_of_the_run_brings_out_what_is_held() -> None:
    async def script(told: Told, clock: VirtualClock) -> None:
        for _ in range(3):
            told.journal.append(Incident("a", ""))
        await told.queue.finish()
        told.journal.append(Incident("late", ""))
        await clock.sleep_ns(10)

    assert told(script).names == [("a", 1), ("a", 2)]


def test_a_store_that_is_too_slow_costs_alerts_and_not_memory() -> None:
    async def script(told: Told, clock: VirtualClock) -> None:
        told.store.holds = True
        for number in range(1_003):
            told.journal.append(Incident(f"kind {number}", ""))
        told.store.release()
        await clock.sleep_ns(10)

    found = told(script)

    assert len(found.alerts) == 1_000
    assert found.queue.dropped == 3


# --- the post


class Slow:
    """A notifier that takes its time, fails by script, and notes what it got."""

    def __init__(self, clock: Any, *outcomes: Exception | None, takes_ns: int = 10) -> None:  # noqa: ANN401 - any clock
        self._clock, self._outcomes, self._takes_ns = clock, list(outcomes), takes_ns
        self.got: list[str] = []
        self.closed = False

    async def notify(self, alert: Alert) -> None:
        await self._clock.sleep_ns(self._takes_ns)
        outcome = self._outcomes.pop(0) if self._outcomes else None
        if outcome is not None:
            raise outcome
        self.got.append(alert.name)

    async def close(self) -> None:
        self.closed = True


def alert(name: str) -> Alert:
    return Alert(Severity.INFO, name, "", "demo", "demo-1", 0, 1)


def posted(script: Callable[[VirtualClock], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        await script(clock)

    run_virtual(main)


def test_each_notifier_gets_everything_in_order_and_waits_for_nobody() -> None:
    async def script(clock: VirtualClock) -> None:
        quick, slow = Slow(clock), Slow(clock, takes_ns=1_000)
        post = Post({"quick": quick, "slow": slow})
        running = asyncio.create_task(post.run())
        for name in "abc":
            post.send(alert(name))
        await clock.sleep_ns(100)
        assert (quick.got, slow.got) == (["a", "b", "c"], [])
        await post.done()
        assert slow.got == ["a", "b", "c"]
        running.cancel()
        await asyncio.wait([running])
        assert quick.closed
        assert slow.closed

    posted(script)


def test_failures_are_counted_and_say_no_more_than_the_notifier_wants() -> None:
    async def script(clock: VirtualClock) -> None:
        failing = Slow(clock, NotifyError("busy"), RuntimeError("https://secret.example/x"), None)
        post = Post({"one": failing})
        running = asyncio.create_task(post.run())
        post.send(alert("a"))
        await post.done()
        assert post.status()["one"]["trouble"] == "busy"
        post.send(alert("b"))
        post.send(alert("c"))
        await post.done()
        assert post.status()["one"] == {
            "sent": 1,
            "failed": 2,
            "dropped": 0,
            "waiting": 0,
            "trouble": "failed with RuntimeError",
        }
        running.cancel()
        await asyncio.wait([running])

    posted(script)


def test_where_too_many_wait_the_oldest_are_left_out() -> None:
    async def script(clock: VirtualClock) -> None:
        post = Post({"one": (one := Slow(clock))})
        for number in range(103):
            post.send(alert(str(number)))
        running = asyncio.create_task(post.run())
        await post.done()
        assert one.got[0] == "3"
        assert post.status()["one"]["dropped"] == 3
        running.cancel()
        await asyncio.wait([running])

    posted(script)


def test_a_notifier_that_cannot_close_keeps_nobody_from_closing() -> None:
    class Stuck(Slow):
        @override
        async def close(self) -> None:
            raise RuntimeError

    async def script(clock: VirtualClock) -> None:
        last = Slow(clock)
        post = Post({"stuck": Stuck(clock), "last": last})
        running = asyncio.create_task(post.run())
        await clock.sleep_ns(1)
        running.cancel()
        await asyncio.wait([running])
        assert last.closed

    posted(script)


# --- building


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def test_a_notifier_that_cannot_be_built_is_a_finding() -> None:
    def build(config: Table, context: NotifierContext) -> Slow:
        raise ValueError(f"{context.name} lacks its address")

    registry = Registry()
    registry.enter("fake", "fake 1")
    registry.notifier("pager", Table, build)
    settings = Settings(
        engine=EngineSettings(instance="demo", currency="USDT"),
        venues={},
        strategies={},
        risk={},
        alerts={"pager": Table()},
    )

    with pytest.raises(ConfigError, match=r"alerts\.pager: notifier: pager lacks its address"):
        build_notifiers(settings, registry.offers(), context)


def context(name: str) -> NotifierContext:
    clock: Any = StillClock()
    return NotifierContext(name, clock, clock, clock, clock)
