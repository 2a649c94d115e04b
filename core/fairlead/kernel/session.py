"""Run one session from settings to report: the clock that fits, the store, the engine.

In paper mode the clock follows the source, so a session runs in virtual time: as fast as it can,
or paced to a multiple of real time for someone who watches. In every other mode it runs in real
time, and one process at a time runs an instance.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fairlead.api import Connector, Notifier, NotifierContext, Offers, PostureLevel, Process
from fairlead.config import Settings, config_hash
from fairlead.errors import ConfigError, Finding, StoreError
from fairlead.kernel.alert_rule import AlertWatch
from fairlead.kernel.alerting import AlertQueue, build_notifiers
from fairlead.kernel.clock import SystemClock
from fairlead.kernel.container import EngineContainer, compose, strategy_plan
from fairlead.kernel.control import BY_HAND, Control, ControlParts
from fairlead.kernel.control_socket import ControlSocket
from fairlead.kernel.engine import Engine
from fairlead.kernel.ids import SystemIds
from fairlead.kernel.outcome import RunResult
from fairlead.kernel.plans_left import left_fact
from fairlead.kernel.plugins import Plugins
from fairlead.kernel.post import Post
from fairlead.kernel.reporter import found_rules
from fairlead.kernel.roster import Roster
from fairlead.kernel.runtime import runtime_for
from fairlead.kernel.secret import read_secret
from fairlead.kernel.shell import Shell
from fairlead.kernel.single import hold_instance
from fairlead.kernel.tally import Tally
from fairlead.kernel.ticker import Phase, Tick
from fairlead.kernel.transport import SystemTransport
from fairlead.ledger import Report, RequestFacts, RunFacts, build_report
from fairlead.model import Unavailable
from fairlead.pipeline import Gateway
from fairlead.store import ControlAsked, QueuedStore, TraceHash

__all__ = ["Session", "SessionOptions", "SessionOutcome"]

# Where a session starts whose venues bring no time of their own: 2026-01-01 00:00 UTC.
_EPOCH_NS = 1_767_225_600_000_000_000


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a session is run, apart from what it does."""

    #: Length in nanoseconds of the session's own time; None = until the source ends.
    for_ns: int | None = None
    #: Multiple of real time; None = as fast as possible.
    pace: float | None = None
    #: Decide everything and send nothing.
    observe_only: bool = False
    #: Quote nothing, and run although the instance is halted: for the exits of a panic.
    exits_only: bool = False
    #: Let no order grow a position, from the start and until a person ends it.
    reduce_only: bool = False
    #: Limits that are looser than their file says, by a person's consent; goes into the record.
    accepted: Mapping[str, str] = field(default_factory=dict)
    #: Where other processes may speak to the run; None = nowhere.
    socket: Path | None = None
    #: Read the configuration again, for strategies that come or change while it runs.
    reread: Callable[[], Settings] | None = None
    #: The arguments of the command that watches this run, where one is needed.
    watchdog: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """What came of a session. ``report`` is None when it never started."""

    result: RunResult
    report: Report | None
    trace_hash: str


#: A task beside the engine: a live view, a progress line. Cancelled when the engine is done.
Watch = Callable[["Session"], Coroutine[Any, Any, None]]


class Session:
    """One run of a configuration. Build it, then `run` it once."""

    def __init__(
        self,
        settings: Settings,
        plugins: Plugins,
        offers: Offers,
        *,
        store: QueuedStore,
        traces: Callable[[str], TraceHash],
        process: Process,
        options: SessionOptions,
    ) -> None:
        self.settings = settings
        self.options = options
        self._store = store
        self._runtime = runtime_for(settings.engine.mode, options.pace)
        self._let_go: Callable[[], None] = lambda: None
        self._socket: ControlSocket | None = None
        self.clock = self._runtime.clock
        self.container: EngineContainer = compose(
            settings,
            offers,
            {
                "clock": self.clock,
                "ids": SystemIds(),
                "process": process,
                "store": store,
                "traces": traces,
                "observers": plugins.observers(self.clock.monotonic_ns),
            },
        )
        self.container.watchdog.override(options.watchdog)
        try:
            if not options.observe_only:
                self._let_go = hold_instance(process, settings)
            if options.socket is not None:
                self._socket = ControlSocket.open(options.socket)
            self._assemble(offers)
        except BaseException:  # whatever it is, nothing stays open
            self._runtime.loop.close()
            store.close()
            self._close_socket()
            self._let_go()
            raise

    def _assemble(self, offers: Offers) -> None:
        self._post_transport = SystemTransport()
        #: How the alerts of this run fare, by notifier.
        self.post = Post(self._notifiers(offers))
        found = self.container.connectors()
        _check_venues(self.settings.engine.mode, found)
        connectors = found.values()
        starts = [connector.starts_ns for connector in connectors]
        self._runtime.begin(min((at for at in starts if at is not None), default=_EPOCH_NS))
        ends = [connector.ends_ns for connector in connectors]
        #: How long it will last by its sources, where all of them know, and by what was asked.
        self.length_ns = _length(self.clock.now_ns(), ends, self.options.for_ns)
        #: The run's name: instance and epoch; also that of its folder.
        self.name: str = self.container.run_name()
        self.journal = self.container.journal()
        self.tally = Tally(self.journal)
        self.engine: Engine = self.container.engine()
        #: What a person may tell it, by key or over the socket.
        self.control = Control(
            ControlParts(
                engine=self.engine,
                setup=self.container.setup(),
                clock=self.clock,
                ticker=self.container.ticker(),
                journal=self.journal,
                roster=Roster(
                    settings=self.settings,
                    reread=self.options.reread,
                    plan=partial(strategy_plan, offers=offers),
                    journal=self.journal,
                    now_ns=self.clock.now_ns,
                ),
            )
        )
        self._shell = Shell(self.control, self._socket, self.post)
        names = (self.settings.engine.instance, self.name)
        self._alerts = AlertQueue(self.journal, names, self.post.send)
        if self.options.accepted:
            asked = dict(self.options.accepted)
            self.journal.append(ControlAsked("the command line", "accept_risk", asked))
        if self.options.reduce_only:
            self.container.ticker().add(Phase.RECONCILE, "reduce_only", self._reduce_only)
        watch = AlertWatch(self.journal, lambda: self.engine.desk)
        self.container.ticker().add(Phase.REPORT, "alerts", watch.look, core=False)

    def _reduce_only(self, tick: Tick) -> None:
        # From the first tick on, before anything is decided; a person may end it.
        if tick.number == 1:
            gate = self.engine.desk.gate
            gate.impose(BY_HAND, PostureLevel.REDUCING, "asked by the command line")

    @property
    def pace(self) -> float | None:
        """Give the multiple of real time that it runs at; None = as fast as possible."""
        return self._runtime.pace

    def set_pace(self, pace: float | None) -> None:
        """Change the pace, before `run`; real time has but one."""
        self._runtime.set_pace(pace)

    def wall_ns(self) -> int:
        """Give real time that never goes back, to tell how long a run takes."""
        return SystemClock().monotonic_ns()

    def run(self, watch: Watch | None = None) -> SessionOutcome:
        """Run to the end and give the report; always leaves the store and the trace closed."""
        trace = self.container.trace()
        try:
            with asyncio.Runner(loop_factory=lambda: self._runtime.loop) as runner:
                result, report = runner.run(self._run(watch))
        finally:
            failures = [*_refused(self._store.close), *_refused(trace.close)]
            self._close_socket()
            self._let_go()
        if failures and result.failure is None:
            result.failure = failures[0]
        return SessionOutcome(result, report, trace.hexdigest)

    async def _run(self, watch: Watch | None) -> tuple[RunResult, Report | None]:
        try:
            async with self._shell.standing(self._alerts, self._post_transport):
                return await self._watched(watch)
        finally:
            transport = self.container.transport()
            if isinstance(transport, SystemTransport):
                await transport.close()

    async def _watched(self, watch: Watch | None) -> tuple[RunResult, Report | None]:
        watching = None if watch is None else asyncio.create_task(watch(self))
        try:
            result = await self.engine.run(
                for_ns=self.options.for_ns,
                observe_only=self.options.observe_only,
                exits_only=self.options.exits_only,
            )
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.wait([watching])
        if watching is not None and not watching.cancelled():
            result.failure = result.failure or watching.exception()
        return result, await self._report(result)

    def _notifiers(self, offers: Offers) -> Mapping[str, Notifier]:
        if self.options.observe_only:
            return {}
        return build_notifiers(self.settings, offers, self._notifier_context)

    def _notifier_context(self, name: str) -> NotifierContext:
        folder = self.settings.folder
        return NotifierContext(
            name=name,
            clock=SystemClock(),
            transport=self._post_transport,
            folder=folder,
            secret=partial(read_secret, folder=folder, env=os.environ),
        )

    def _close_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()

    async def _report(self, result: RunResult) -> Report | None:
        if not self.engine.assembled:
            return None
        desk = self.engine.desk
        self.tally.denied(desk.pipeline.denied)
        ends = {}
        for venue, connector in self.container.connectors().items():
            balances = await connector.balances()
            if not isinstance(balances, Unavailable):
                ends[venue] = {update.asset: update.total for update in balances}
        ticker = self.container.ticker()
        return build_report(
            RunFacts(
                run=self.name,
                instance=self.settings.engine.instance,
                mode=self.settings.engine.mode,
                seed=self.container.setup().seed,
                config_hash=config_hash(self.settings),
                started_ns=result.started_ns,
                ended_ns=result.ended_ns,
                messages=desk.feed.messages,
                ticks=ticker.ticks,
                overruns=ticker.overruns,
                reason=result.reason.value,
                proven=result.proven,
                orders_left=len(result.left),
                plans_left=tuple(map(left_fact, desk.plans.ends.left)),
                incidents=dict(sorted(self.tally.incidents.items())),
                notes=found_rules(one.instrument for one in desk.markets.values()),
                risk=desk.guard.figures(result.ended_ns),
                requests={name: _sent(one) for name, one in desk.gateways.items()},
            ),
            desk.ledger,
            self.tally.orders,
            ends,
        )


def _check_venues(mode: str, connectors: Mapping[str, Connector]) -> None:
    # Play and reality do not mix: play money has a time of its own, a real venue has ours.
    for venue, connector in connectors.items():
        if connector.capabilities.simulated is (mode == "paper"):
            continue
        wanted = "a connector to a real venue" if mode != "paper" else "a connector of play money"
        expected = f"mode {mode!r} needs {wanted}; choose another, or another engine.mode"
        raise ConfigError((Finding(f"venues.{venue}", "connector", "", expected),))


def _sent(gateway: Gateway) -> RequestFacts:
    counts = gateway.counts
    return RequestFacts(
        requests=counts.requests,
        items=counts.items,
        batches=counts.batches,
        split=counts.split,
        dropped=counts.dropped,
        warnings=gateway.throttle.warnings,
    )


def _length(now_ns: int, ends: Sequence[int | None], asked_ns: int | None) -> int | None:
    known = [end - now_ns for end in ends if end is not None]
    lengths = [max(known)] if known and len(known) == len(ends) else []
    return min(lengths if asked_ns is None else [*lengths, asked_ns], default=None)


def _refused(close: Callable[[], None]) -> Iterator[StoreError]:
    try:
        close()
    except StoreError as error:
        yield error
