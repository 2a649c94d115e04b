"""Run the engine: start reconciled, tick, and stop with proof. The asynchronous shell.

Start is reconcile: nothing quotes before the venue's balances and open orders are read. Stop is
proof: two complete reads of the open orders, a second or more apart, that show none of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fairlead.api import Connector, Gate, PostureLevel
from fairlead.errors import StoreError
from fairlead.kernel.desk import Desk
from fairlead.kernel.halt import Halt, read_halt, write_halt
from fairlead.kernel.outcome import RunResult, StopReason, StopRequest
from fairlead.kernel.parts import EngineParts
from fairlead.kernel.proof import ProofParts, prove_or_hurry
from fairlead.kernel.reconcile import Reconciler, ReconcilerParts
from fairlead.kernel.start import fills_since, reconcile_start, take_up
from fairlead.kernel.ticker import CoreFailure, Part, Phase
from fairlead.model import (
    BookSnapshot,
    Fill,
    OrderUpdate,
    StreamState,
    StreamStatus,
    Unavailable,
    VenueEvent,
)
from fairlead.store import Incident, RunEnded

__all__ = ["Engine"]

_SECOND = 1_000_000_000
# How long a venue may take to say that it is there, and to answer the start reconciliation.
_START_NS = 60 * _SECOND
_BUFFERED = 100_000


class Engine:
    """One run of one instance."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._stop = StopRequest()
        self._desk: Desk | None = None
        self._up: set[str] = set()
        self._ended: set[str] = set()
        self._early: list[VenueEvent] = []
        self._ready = asyncio.Event()
        self._observe_only = self._exits_only = False
        self._untouched = False
        self.started_ns = 0

    @property
    def desk(self) -> Desk:
        """Give the desk; only once the engine has started."""
        if self._desk is None:
            raise RuntimeError("the engine has not started")
        return self._desk

    @property
    def assembled(self) -> bool:
        """Tell whether there is a desk."""
        return self._desk is not None

    def request_stop(self, reason: StopReason = StopReason.ASKED, detail: str = "") -> None:
        """Begin a clean stop; the first request gives the reason."""
        if self._stop.reason is None:
            self._stop.reason, self._stop.detail = reason, detail
        self._stop.event.set()

    def _asked_to_stop(self) -> None:
        self._stop.signals += 1
        self.request_stop()
        if self._stop.signals > 1:
            self._stop.hurry.set()

    async def run(
        self, *, for_ns: int | None = None, observe_only: bool = False, exits_only: bool = False
    ) -> RunResult:
        """Run until the source ends, ``for_ns`` is over, or a stop is requested.

        ``observe_only`` = decide everything and send nothing. ``exits_only`` = quote nothing, and
        run although the instance is halted: for the exits of a panic. Always ends with a clean
        stop; a cancellation is a request for it.
        """
        self._observe_only, self._exits_only = observe_only, exits_only
        setup = self._parts.setup
        self.started_ns = self._clock.now_ns()
        self._parts.journal.append(setup.record())
        if not setup.clean_before:
            self._incident("killed_before", "the run before this one never ended")
        restore = (
            self._parts.process.on_stop(self._asked_to_stop),
            self._parts.process.on_kill(lambda: self.halt("kill_switch", "asked by a signal")),
        )
        loop = asyncio.get_running_loop()
        tasks = [
            loop.create_task(self._venue(name, connector), name=f"venue {name}")
            for name, connector in self._parts.connectors.items()
        ]
        tasks.append(loop.create_task(self._observe(), name="observers"))
        tasks.append(loop.create_task(self._beside(self._reconciling), name="readers"))
        tasks.append(loop.create_task(self._beside(self._protecting), name="protection"))
        work = loop.create_task(self._work(for_ns), name="work")
        try:
            await self._stopped_or_done(work)
            left = await self._finish()
        finally:
            for call in restore:
                call()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._parts.protection is not None:
            await self._parts.protection.end(proven=not left)
        return self._result(left)

    def publish(self, event: VenueEvent) -> None:
        """Take an event from a connector; never raises into it."""
        try:
            self._take(event)
        except Exception as error:  # noqa: BLE001 - task supervisor: our failure is not the venue's
            self._fail(error, "event handling")

    def _take(self, event: VenueEvent) -> None:
        if isinstance(event, StreamState):
            self._stream(event)
        elif self._desk is not None:
            self._desk.handle(event)
            if isinstance(event, OrderUpdate | Fill):
                self._reconciler.heard(event.market.venue, event.client_id)
        elif len(self._early) < _BUFFERED:
            self._early.append(event)
        else:
            self._early = [early for early in self._early if isinstance(early, BookSnapshot)]

    def _stream(self, state: StreamState) -> None:
        match state.status:
            case StreamStatus.CONNECTED:
                self._up.add(state.venue)
                if self._desk is not None:
                    self._reconciler.connected(state.venue)
                elif self._up >= set(self._parts.connectors):
                    self._assemble()
            case StreamStatus.ENDED:
                self._ended.add(state.venue)
                if self._ended >= set(self._parts.connectors):
                    self.request_stop(StopReason.SOURCE_ENDED)
            case StreamStatus.DISCONNECTED:
                self._incident("stream_lost", f"{state.venue}: {state.detail}")
                self._up.discard(state.venue)  # nothing begins before all are up at once
                if self._desk is not None:
                    self._reconciler.cut(state.venue, state.local_ns)

    def _assemble(self) -> None:
        desk = self._desk = self._parts.desk(failed=self._fail)
        desk.pipeline.open_for_creates = not self._observe_only
        desk.orders.on_change(self._parts.observers.order_changed)
        desk.booking.on_fill(self._parts.observers.filled)
        self._reconciler = self._reconcile(desk)
        desk.answered(self._reconciler.answered)
        for runner in desk.runners.values() if self._exits_only else ():
            runner.hold(Gate("halted", "only exits"), self._clock.now_ns())
        self._heed_note()
        early, self._early = self._early, []
        for event in early:
            desk.handle(event)
        self._ready.set()

    def _reconcile(self, desk: Desk) -> Reconciler:
        parts = ReconcilerParts(
            desk=desk,
            connectors=self._parts.connectors,
            clock=self._clock,
            journal=self._parts.journal,
            tag=self._parts.setup.tag,
            epoch=self._parts.setup.epoch,
        )
        earlier = self._parts.identity.earlier
        return Reconciler(parts, fills_since(earlier, parts.connectors, self.started_ns))

    def halt(self, rule: str, reason: str) -> None:
        """Stop trading until a person resumes it; survives a restart."""
        try:
            write_halt(
                self._parts.process,
                self._parts.setup.instance,
                Halt(rule, reason, self._clock.now_ns()),
            )
        except OSError as refused:
            # The same disk as the store's, most likely. The exit code says it too.
            self._incident("marker_failed", str(refused))
        self._halt(f"{rule}: {reason}")

    def _heed_note(self) -> None:
        note = read_halt(self._parts.process, self._parts.setup.instance)
        if note is not None and self._stop.reason is None and not self._exits_only:
            self._halt(f"{note.rule}: {note.reason}")

    def _halt(self, reason: str) -> None:
        if self._desk is not None:
            self._desk.gate.impose("halted", PostureLevel.HALTED, reason)
        self.request_stop(StopReason.HALTED, reason)

    async def _venue(self, name: str, connector: Connector) -> None:
        try:
            await connector.run(self.publish)
        except Exception as error:  # noqa: BLE001 - task supervisor: a dead connector ends the run
            self._fail(error, f"venue {name}")
            return
        finally:
            # Returned, or called off from within: nobody publishes any more.
            if self._stop.reason is None and name not in self._ended:
                self.request_stop(StopReason.VENUE, f"the connector of {name} returned")

    async def _beside(self, work: Callable[[], Awaitable[None]]) -> None:
        await self._ready.wait()
        try:
            if self._desk is not None:
                await work()
        except Exception as error:  # noqa: BLE001 - task supervisor: nothing runs without these
            self._fail(error, "beside the ticks")

    async def _reconciling(self) -> None:
        await self._reconciler.run()

    async def _protecting(self) -> None:
        protection = self._parts.protection
        if protection is not None and not self._observe_only:
            await protection.run()

    async def _observe(self) -> None:
        try:
            await self._parts.observers.run()
        except Exception as error:  # noqa: BLE001 - task supervisor: observers are no core part
            self._incident("observers_failed", repr(error))

    async def _work(self, for_ns: int | None) -> None:
        timer = None
        try:
            if problem := await self._start():
                self._heed_note()  # who is halted does not end for want of a venue
                self.request_stop(StopReason.VENUE, problem)
                return
            if for_ns is not None:
                timer = self._clock.call_at_ns(
                    self._clock.now_ns() + for_ns,
                    lambda: self.request_stop(StopReason.DURATION),
                )
            await self._tick()
        except Exception as error:  # noqa: BLE001 - task supervisor: it ends the run in order
            self._fail(error, "start")
        finally:
            if timer is not None:
                timer.cancel()

    async def _stopped_or_done(self, work: asyncio.Task[None]) -> None:
        # A stop is heard at once, not at the next tick; ticks themselves are never cut in two.
        stop = asyncio.get_running_loop().create_task(self._stop.event.wait())
        try:
            await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # Someone called the run off: that is a request for a clean stop, and is kept.
            self.request_stop(StopReason.ASKED, "called off")
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
        finally:
            for waiting in (work, stop):
                waiting.cancel()
            await asyncio.gather(work, stop, return_exceptions=True)

    async def _start(self) -> str:
        limit_ns = self._clock.now_ns() + _START_NS
        timer = self._clock.call_at_ns(limit_ns, self._ready.set)
        try:
            await self._ready.wait()
        finally:
            timer.cancel()
        if self._desk is None:
            return "not every venue connected within 60 s"
        desk, reconciler = self._desk, self._reconciler
        if not self._observe_only:
            desk.restarting.take_up(self._parts.identity.executions, go_on=not self._exits_only)
        take_up(desk, self._parts.connectors, self._parts.identity.earlier)
        problem = await reconcile_start(
            desk, reconciler, self._parts.connectors, self._clock, limit_ns
        )
        if isinstance(problem, Unavailable):
            # Nobody answers, and nothing of ours, of now or of before, can stand there.
            self._untouched = not desk.orders.live()
            return problem.cause
        if problem:
            return problem
        self._parts.ticker.add(Phase.INGEST, "clock", reconciler.wall.look)
        desk.join(self._parts.ticker)
        self._parts.ticker.add(
            Phase.RECONCILE, "account", lambda tick: reconciler.apply(tick.at_ns)
        )
        protection = self._parts.protection
        if protection is not None and not self._observe_only:
            await protection.begin()
            protection.apply(desk, reconciler.suspect)
            self._parts.ticker.add(
                Phase.RECONCILE,
                "protection",
                lambda tick: protection.apply(desk, reconciler.suspect),
            )
        # What goes on may send at once, so not before it is protected.
        desk.restarting.resume(self._clock.now_ns())
        self._parts.ticker.on_failure(self._part_failed)
        self._parts.observers.started(self._parts.setup)
        return ""

    async def _tick(self) -> None:
        try:
            await self._parts.ticker.run(self._stopped)
        except CoreFailure as failure:
            self._fail(failure.__cause__ or failure, failure.part)

    def _stopped(self) -> bool:
        posture = self.desk.halted
        if posture is not None and self._stop.reason is None:
            self.halt(posture.rule, posture.reason)
        self._heed_note()
        failure = self._parts.journal.failure
        if failure is not None:
            # Nobody may have waited for the disk, and still nothing is written down any more.
            self._store_failed(failure)
        return self._stop.reason is not None

    async def _finish(self) -> tuple[str, ...]:
        reason = self._stop.reason or StopReason.ASKED
        # Without a desk nobody has looked for what an earlier run left.
        left = tuple(
            f"{order.market}: {order.client_id} (not looked for)"
            for order in self._parts.identity.unfinished
        )
        settled = not left
        if self._desk is not None and not self._untouched:
            try:
                self._desk.stop(reason.value)
            except Exception as error:  # noqa: BLE001 - task supervisor: the proof cancels all again
                self._fail(error, "stop")
            proof = ProofParts(
                desk=self._desk,
                connectors=self._parts.connectors,
                setup=self._parts.setup,
                clock=self._clock,
                settle=self._reconciler.apply,
            )
            left = await prove_or_hurry(proof, self._stop.hurry)
            self._desk.finish()
            # An order whose end is not in our books is the next run's to take up.
            settled = not left and not self._desk.orders.live()
        self._parts.journal.append(RunEnded(reason=reason.value, proven=settled))
        self._parts.observers.stopped(self._parts.setup.instance, reason.value, not left)
        await self._parts.observers.drain()
        return left

    def _part_failed(self, part: Part, error: Exception) -> None:
        if part.failures == 1 or part.core:
            self._incident("part_failed", f"{part.name}: {error!r}")

    def _store_failed(self, error: StoreError) -> None:
        self.request_stop(StopReason.STORE, str(error))
        if self._stop.failure is not None:
            return
        self._stop.failure = error
        if error.fenced:
            self._halt(str(error))  # the note would halt the run that has taken over
        else:
            self.halt("store", str(error))

    def _fail(self, error: BaseException, where: str) -> None:
        if isinstance(error, StoreError):
            self._store_failed(error)
            return
        if self._stop.failure is None:
            self._stop.failure = error
            self._incident("core_failed", f"{where}: {error!r}")
        self.request_stop(StopReason.FAILED, f"{where}: {error}")

    def _incident(self, name: str, detail: str) -> None:
        self._parts.journal.append(Incident(name=name, detail=detail))

    def _result(self, left: tuple[str, ...]) -> RunResult:
        return RunResult(
            reason=self._stop.reason or StopReason.ASKED,
            detail=self._stop.detail,
            started_ns=self.started_ns,
            ended_ns=self._clock.now_ns(),
            proven=not left,
            left=left,
            failure=self._stop.failure,
        )
