"""Have our orders cancelled when we die: by the venue's own timer, else by a watchdog process.

A timer is armed before the first order leaves, armed anew at a quarter of its time, and disarmed
last, once nothing of ours is left. For venues without one, or that refuse it, the engine beats
and a watchdog listens (`fairlead.kernel.watchdog`). A venue where neither holds gets no orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fairlead.api import Clock, Connector, DeadMan, DeadManKind, Helper, PostureLevel, Process
from fairlead.kernel.beat import Beat, clear_beat, sign_name, write_beat
from fairlead.kernel.desk import Desk
from fairlead.kernel.outcome import RunSetup
from fairlead.model import Rejected, Unavailable
from fairlead.pipeline import ask
from fairlead.store import Incident, Journal

__all__ = ["Protection", "ProtectionParts"]

_SECOND = 1_000_000_000
_BEAT_NS = 1 * _SECOND
_PATIENCE_NS = 5 * _SECOND
# A watchdog that ended is started again no sooner than this.
_REPLACE_NS = 5 * _SECOND


@dataclass(frozen=True, slots=True)
class ProtectionParts:
    """What protects a run, and whom."""

    setup: RunSetup
    clock: Clock
    process: Process
    journal: Journal
    connectors: Mapping[str, Connector]
    #: After this much silence our orders are cancelled.
    timeout_ns: int
    #: The arguments of the command that watches this run; () = nobody is to be started.
    watchdog: tuple[str, ...] = ()


class _Timer:
    # One venue's timer: until when it surely runs, by the monotonic clock, and whether it exists.

    def __init__(self, connector: DeadMan, clock: Clock, timeout_ns: int) -> None:
        self._connector = connector
        self._clock = clock
        self._timeout_ns = timeout_ns
        self._until_ns: int | None = None
        self.refused = ""
        self.problem = "the venue's timer is not armed yet"

    async def arm(self) -> bool:
        begun_ns = self._clock.monotonic_ns()
        patience_ns = min(_PATIENCE_NS, self._timeout_ns // 4)
        answer = await ask(lambda: self._connector.arm(self._timeout_ns), patience_ns)
        match answer:
            case Rejected(code=code, detail=detail):
                self.refused = f"{code} {detail}".strip()
            case Unavailable(cause=cause):
                self.problem = f"the venue's timer could not be armed: {cause}"
            case _:
                # It runs from when the venue took it, which was no sooner than we asked.
                self._until_ns = begun_ns + self._timeout_ns
                return True
        return False

    @property
    def holds(self) -> bool:
        # With a quarter of its time left it may go off before it is armed again.
        left_ns = (self._until_ns or 0) - self._clock.monotonic_ns()
        return self._until_ns is not None and left_ns > self._timeout_ns // 4

    async def keep(self) -> None:
        pause_ns = self._timeout_ns // 4
        while not self.refused:
            await self._clock.sleep_ns(pause_ns if self.holds else pause_ns // 4)
            await self.arm()

    async def disarm(self) -> str:
        if self.refused or self._until_ns is None:
            return ""
        answer = await ask(self._connector.disarm, _PATIENCE_NS)
        return "" if answer is None else str(answer)


class Protection:
    """All that cancels our orders when we cannot; one for each run that can lose something."""

    def __init__(self, parts: ProtectionParts) -> None:
        self._parts = parts
        self._number = 0
        self._beat_ns: int | None = None
        self._helper: Helper | None = None
        self._started_ns: int | None = None
        self._sign = ""
        self._looked_ns = self._silent_ns = 0
        self._reported: set[str] = set()
        self._open: dict[str, str] = {}
        self._timers: dict[str, _Timer] = {}
        for venue, connector in parts.connectors.items():
            offered = connector.capabilities.dead_man is DeadManKind.TIMER
            if offered and isinstance(connector, DeadMan):
                self._timers[venue] = _Timer(connector, parts.clock, parts.timeout_ns)

    async def begin(self) -> None:
        """Beat once and arm every timer: before the first order leaves."""
        self._beat()
        for timer in self._timers.values():
            await timer.arm()
        self._mind()

    async def run(self) -> None:
        """Keep beating and arming until cancelled."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(timer.keep()) for timer in self._timers.values()]
        try:
            while True:
                await self._parts.clock.sleep_ns(min(_BEAT_NS, self._parts.timeout_ns // 4))
                self._beat()
                self._mind()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def apply(self, desk: Desk, suspect: Callable[[str], None]) -> None:
        """Pull the quotes of venues where nothing protects them; read those that were so anew."""
        for venue in self._parts.connectors:
            rule, gap = f"unprotected:{venue}", self._gap(venue)
            if gap:
                self._open[venue] = gap
                for market in desk.markets:
                    if market.venue == venue:
                        desk.gate.impose(rule, PostureLevel.CANCEL_ONLY, f"{venue}: {gap}", market)
            elif self._open.pop(venue, ""):
                desk.gate.lift(rule)
                suspect(venue)  # its timer may have gone off

    async def end(self, *, proven: bool) -> None:
        """Disarm and fall silent, when nothing of ours is left; after `run` was cancelled.

        Otherwise timers and watchdog stay, and do what they are there for.
        """
        if not proven:
            return
        for venue, timer in self._timers.items():
            problem = await timer.disarm()
            if problem:
                self._report(f"{venue}: its timer is still armed: {problem}")
        parts = self._parts
        clear_beat(parts.process, parts.setup.instance, parts.setup.epoch)
        if self._helper is not None:
            self._helper.end()
            parts.process.clear_marker(sign_name(parts.setup.instance))

    def _gap(self, venue: str) -> str:
        # Why nothing protects the orders of a venue; "" = something does.
        timer = self._timers.get(venue)
        if timer is not None and not timer.refused:
            return "" if timer.holds else timer.problem
        if not self._parts.watchdog:
            return ""  # a person has said so
        if self._helper is None or not self._helper.running:
            return "the watchdog does not run"
        late_ns = self._parts.clock.monotonic_ns() - (self._beat_ns or 0)
        return "the watchdog cannot be told" if late_ns > self._parts.timeout_ns // 2 else ""

    def _beat(self) -> None:
        parts = self._parts
        self._number += 1
        beat = Beat(self._number, parts.setup.tag, parts.setup.epoch, parts.process.identity())
        try:
            write_beat(parts.process, parts.setup.instance, beat)
        except OSError as error:
            self._report(f"no beat can be left: {error}")
        else:
            self._beat_ns = parts.clock.monotonic_ns()

    def _mind(self) -> None:
        # A watchdog for venues without a timer; another one when it has ended.
        alone = [
            venue
            for venue in self._parts.connectors
            if venue not in self._timers or self._timers[venue].refused
        ]
        for venue in alone:
            refused = self._timers[venue].refused if venue in self._timers else "it has none"
            self._report(f"{venue}: no timer of its own ({refused})")
        if not alone or (self._helper is not None and self._watches(self._helper)):
            return
        if not self._parts.watchdog:
            self._report("no watchdog was to be started: orders outlive an engine that dies")
            return
        now_ns = self._parts.clock.monotonic_ns()
        if self._started_ns is not None and now_ns - self._started_ns < _REPLACE_NS:
            return
        if self._helper is not None:
            self._incident("the watchdog has ended; another one is started")
        self._started_ns = now_ns
        self._looked_ns, self._silent_ns = now_ns, 0
        instance = self._parts.setup.instance
        try:
            self._helper = self._parts.process.start_helper(
                self._parts.watchdog, f"{instance}.watchdog.log", sign_name(instance)
            )
        except OSError as error:
            self._report(f"the watchdog cannot be started: {error}")

    def _watches(self, helper: Helper) -> bool:
        # One that hangs is as good as none, and is ended so that another can be started.
        now_ns, sign = self._parts.clock.monotonic_ns(), helper.sign()
        # If nobody ran for a while, the watchdog did not either.
        self._silent_ns += min(now_ns - self._looked_ns, 2 * _BEAT_NS)
        self._looked_ns = now_ns
        if sign != self._sign:
            self._sign, self._silent_ns = sign, 0
        if helper.running and self._silent_ns > max(self._parts.timeout_ns, _REPLACE_NS):
            seconds = self._silent_ns // _SECOND
            self._incident(f"the watchdog has given no sign of life for {seconds} s: it is killed")
            helper.kill()
        return helper.running

    def _report(self, detail: str) -> None:
        if detail not in self._reported:
            self._reported.add(detail)
            self._incident(detail)

    def _incident(self, detail: str) -> None:
        self._parts.journal.append(Incident(name="dead_man", detail=detail))
