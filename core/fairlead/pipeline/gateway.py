"""Send to one venue and bring the outcomes back: the only place where orders leave.

A create leaves once, after its record is durable. Whatever goes wrong after that is UNKNOWN,
never a failure. Cancels never wait for the disk, for room or for company; only the venue's own
limits, or a ban, hold them back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fairlead.api import BatchLimits, Clock, Connector, RequestKind, Timer
from fairlead.errors import StoreError
from fairlead.model import (
    Accepted,
    CancelRequest,
    NotSent,
    OrderIntent,
    Outcome,
    Rejected,
    TimeInForce,
    Unavailable,
    Unknown,
)
from fairlead.pipeline.batch import BatchPolicy, RequestCounts, batches, cancel_batches
from fairlead.pipeline.breaker import Breaker, BreakerPolicy
from fairlead.pipeline.patience import ask
from fairlead.pipeline.queue import URGENT
from fairlead.pipeline.throttle import Lane, Throttle
from fairlead.store import Incident

if TYPE_CHECKING:
    from fairlead.store import Journal

__all__ = ["Gateway", "GatewayNews", "GatewayTerms"]

_SECOND = 1_000_000_000
# What an answer may take beyond twice the venue's deadline: a venue that is near says 0.
_MARGIN_NS = 1 * _SECOND


@dataclass(frozen=True, slots=True)
class GatewayNews:
    """Whom a gateway tells: outcomes of creates and cancels, a store or a part that failed."""

    created: Callable[[OrderIntent, Outcome], None]
    cancelled: Callable[[CancelRequest, Outcome], None]
    #: Creates leave now: from here on the venue's deadline for them runs.
    sent: Callable[[Sequence[OrderIntent]], None]
    #: The store failed, or what was told could not be taken in: nothing may be trusted any more.
    failed: Callable[[BaseException], None]
    #: Creates that waited for room may leave now: dispatch again.
    room: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class GatewayTerms:
    """How one venue is dealt with; see ``[venues.NAME]``."""

    batching: BatchPolicy = field(default_factory=BatchPolicy)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    venue: str = ""
    #: The account's budget; None = one without limits but those that the venue asks for.
    throttle: Throttle | None = None


class Gateway:
    """Requests in flight to one venue, each in a task of its own."""

    def __init__(
        self,
        connector: Connector,
        journal: Journal,
        news: GatewayNews,
        clock: Clock,
        terms: GatewayTerms | None = None,
    ) -> None:
        terms = terms or GatewayTerms()
        self.connector = connector
        self.counts = RequestCounts()
        #: Whether a create that was recorded, and had no effect so far, is still wanted.
        self.wanted: Callable[[OrderIntent], bool] = lambda intent: True
        self.throttle = terms.throttle or Throttle(clock)
        self.breaker = Breaker(clock, terms.breaker)
        self._journal = journal
        self._news = news
        self._clock = clock
        self._policy = terms.batching
        self._limits = terms.batching.within(connector.capabilities.batch)
        self._most_in_flight = connector.capabilities.max_in_flight
        self._venue = terms.venue
        self._tasks: set[asyncio.Task[None]] = set()
        #: Cancels that the venue's limits hold back, by order, oldest first.
        self._cancels: dict[str, CancelRequest] = {}
        self._cancel_timer: Timer | None = None
        self._create_timer: Timer | None = None
        # Creates wait for a request in flight to end.
        self._crowded = False
        self._ticked_ns = 0
        # Twice the venue's own deadline: by then an answer no longer changes what is proven.
        self._patience_ns = 2 * connector.capabilities.deadline_ns + _MARGIN_NS
        self.throttle.on_answer = self._query_answered

    @property
    def room(self) -> int:
        """Give how many more requests may be in flight."""
        return self._most_in_flight - len(self._tasks)

    @property
    def held_cancels(self) -> int:
        """Give how many cancels the venue's limits hold back."""
        return len(self._cancels)

    def admit(
        self, waiting: Sequence[OrderIntent], *, on_tick: bool
    ) -> tuple[tuple[OrderIntent, ...], ...]:
        """Say which of the waiting creates leave now, as requests; they count as leaving.

        ``waiting`` = the most urgent first; nobody passes one of whom there is no room. Who stays
        is called for by `GatewayNews.room` at the instant when he may go. ``on_tick`` = the end
        of a tick's dispatch, when no one waits for company.
        """
        self._stop_timer()
        limits = self._limits
        if on_tick:
            self._ticked_ns = self._clock.now_ns()
        if not waiting:
            return ()
        if not on_tick:
            waiting = self._without_lonely(waiting, limits)
        taken: list[tuple[OrderIntent, ...]] = []
        room = self.room
        for batch in batches(self.breaker.passing(waiting), limits):
            if len(taken) >= room:
                self._crowded = True
                break
            lane = Lane.URGENT if any(one.purpose in URGENT for one in batch) else Lane.QUOTE
            count = self.throttle.fits(RequestKind.CREATE, lane, len(batch))
            if count:
                self.throttle.take(RequestKind.CREATE, count)
                self.breaker.leaves(batch[:count])
                taken.append(batch[:count])
            if count < len(batch):
                self._call_in(self.throttle.wait_ns(RequestKind.CREATE, lane))
                break
        return tuple(taken)

    def create(self, intents: Sequence[OrderIntent], seq: int) -> None:
        """Send creates in one request, as soon as the journal is durable up to ``seq``."""
        self._spawn(self._create(tuple(intents), seq))

    def cancel(self, requests: Sequence[CancelRequest]) -> None:
        """Send cancels, at once, in requests of the size that the venue takes."""
        for request in requests:
            self._cancels.setdefault(request.client_id, request)
        self._send_cancels()

    async def drain(self) -> None:
        """Wait until nothing is in flight; what a disk holds back for too long is called off."""
        patience_s = (self._patience_ns + _MARGIN_NS) / _SECOND
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # --- when something may leave

    def _without_lonely(
        self, waiting: Sequence[OrderIntent], limits: BatchLimits
    ) -> Sequence[OrderIntent]:
        # Decided since the last tick, of no urgency and not yet old: these fill up requests that
        # leave anyway, and full ones of their own. At the next tick at the latest all leave.
        now_ns = self._clock.now_ns()
        until_ns = {
            id(one): one.decided_ns + self._policy.timeout_ns
            for one in waiting
            if self._policy.on
            and limits.creates > 1
            and one.purpose not in URGENT
            and one.time_in_force is TimeInForce.GTC  # who takes wants the price of now
            and one.decided_ns > self._ticked_ns
            and one.decided_ns + self._policy.timeout_ns > now_ns
        }
        patient = [one for one in waiting if id(one) in until_ns]
        if not patient:
            return waiting
        size = limits.creates
        seats = min((len(patient) - len(waiting)) % size, len(patient))
        leave = seats + (len(patient) - seats) // size * size
        stay = {id(one) for one in patient[leave:]}
        if stay:
            self._call_in(min(until_ns[one] for one in stay) - now_ns)
        return [one for one in waiting if id(one) not in stay]

    def _call_in(self, wait_ns: int) -> None:
        at_ns = self._clock.now_ns() + wait_ns
        self._stop_timer()
        self._create_timer = self._clock.call_at_ns(at_ns, self._news.room)

    def _stop_timer(self) -> None:
        if self._create_timer is not None:
            self._create_timer.cancel()
            self._create_timer = None

    def _send_cancels(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer.cancel()
            self._cancel_timer = None
        for batch in cancel_batches(tuple(self._cancels.values()), self._limits):
            count = self.throttle.fits(RequestKind.CANCEL, Lane.CANCEL, len(batch))
            if count:
                self.throttle.take(RequestKind.CANCEL, count)
                for request in batch[:count]:
                    del self._cancels[request.client_id]
                self._spawn(self._cancel(batch[:count]))
            if count < len(batch):
                wait_ns = self.throttle.wait_ns(RequestKind.CANCEL, Lane.CANCEL)
                at_ns = self._clock.now_ns() + wait_ns
                self._cancel_timer = self._clock.call_at_ns(at_ns, self._send_cancels)
                break

    # --- under way

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._news.failed(error)
        elif self._crowded:
            self._crowded = False
            self._news.room()

    async def _create(self, intents: tuple[OrderIntent, ...], seq: int) -> None:
        outcomes: list[Outcome] = [NotSent(0, "called off before it left")] * len(intents)
        try:
            await self._journal.durable(seq)
            await self._send(intents, outcomes, 0)
            if len(intents) > 1 and all(_is_whole(outcome) for outcome in outcomes):
                self.counts.split += 1
                await self._one_by_one(intents, outcomes)
        except StoreError as error:
            outcomes = [NotSent(0, "the store failed")] * len(intents)
            self._news.failed(error)
        finally:
            for intent, outcome in zip(intents, outcomes, strict=True):
                self._news.created(intent, outcome)

    async def _send(
        self, intents: tuple[OrderIntent, ...], outcomes: list[Outcome], first: int
    ) -> None:
        # Outcomes from ``first`` on are those of these intents, whatever interrupts it.
        places = slice(first, first + len(intents))
        self.counts.count(len(intents))
        self._news.sent(intents)
        outcomes[places] = [Unknown("called off under way")] * len(intents)
        outcomes[places] = await self._ask(lambda: self.connector.submit(intents), len(intents))
        self._answered(RequestKind.CREATE, outcomes[places])

    async def _one_by_one(self, intents: tuple[OrderIntent, ...], outcomes: list[Outcome]) -> None:
        # Proven to have had no effect, so each may leave under its own id; what is not wanted
        # any more, or finds no room, stays refused.
        for place, intent in enumerate(intents):
            lane = Lane.URGENT if intent.purpose in URGENT else Lane.QUOTE
            room = self.throttle.fits(RequestKind.CREATE, lane, 1)
            if room and self.wanted(intent):
                self.throttle.take(RequestKind.CREATE)
                await self._send((intent,), outcomes, place)

    async def _cancel(self, requests: Sequence[CancelRequest]) -> None:
        self.counts.count(len(requests))
        outcomes: tuple[Outcome, ...] = (Unknown("called off under way"),) * len(requests)
        try:
            outcomes = await self._ask(lambda: self.connector.cancel(requests), len(requests))
            self._answered(RequestKind.CANCEL, outcomes)
            if len(requests) > 1 and all(_is_whole(outcome) for outcome in outcomes):
                self.counts.split += 1
                requests, outcomes = self._alone(requests, outcomes)
        finally:
            for request, outcome in zip(requests, outcomes, strict=True):
                self._news.cancelled(request, outcome)

    def _alone(
        self, requests: Sequence[CancelRequest], outcomes: Sequence[Outcome]
    ) -> tuple[tuple[CancelRequest, ...], tuple[Outcome, ...]]:
        # Sends each cancel of a refused batch on its own; gives those that find no room.
        left: list[tuple[CancelRequest, Outcome]] = []
        for request, outcome in zip(requests, outcomes, strict=True):
            if self.throttle.fits(RequestKind.CANCEL, Lane.CANCEL, 1):
                self.throttle.take(RequestKind.CANCEL)
                self._spawn(self._cancel((request,)))
            else:
                left.append((request, outcome))
        return tuple(request for request, _ in left), tuple(outcome for _, outcome in left)

    async def _ask(
        self, question: Callable[[], Awaitable[tuple[Outcome, ...]]], count: int
    ) -> tuple[Outcome, ...]:
        outcomes = await ask(question, self._patience_ns)
        if isinstance(outcomes, Unavailable):
            return (Unknown(outcomes.cause),) * count
        if not isinstance(outcomes, Sequence) or len(outcomes) != count:
            return (Unknown(f"no {count} outcomes: {outcomes!r}"),) * count
        return tuple(_proper(outcome) for outcome in outcomes)

    # --- how requests fare

    def _answered(self, kind: RequestKind, outcomes: Sequence[Outcome]) -> None:
        self._learn(kind, _verdict(outcomes))

    def _query_answered(self, kind: str, answered: bool) -> None:
        # Of creates and cancels the outcomes say more.
        if kind not in (RequestKind.CREATE, RequestKind.CANCEL):
            self._learn(RequestKind.QUERY, answered)

    def _learn(self, kind: RequestKind, answered: bool | None) -> None:
        if self.breaker.answered(kind, answered):
            detail = f"{self._venue}: {kind} requests failed in a row; no new risk for a while"
            self._journal.append(Incident(name="venue_paused", detail=detail))


def _verdict(outcomes: Sequence[Outcome]) -> bool | None:
    # True: the venue answered. False: it did not, or could not be reached. None: it asked for
    # patience, or nobody was asked.
    if any(isinstance(outcome, Accepted | Rejected) for outcome in outcomes):
        return True
    if any(isinstance(outcome, Unknown) for outcome in outcomes):
        return False
    unreached = any(
        isinstance(outcome, NotSent) and not outcome.retry_at_ns and not outcome.whole
        for outcome in outcomes
    )
    return False if unreached else None


def _is_whole(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejected | NotSent) and outcome.whole


def _proper(outcome: Outcome) -> Outcome:
    # What is no outcome proves nothing.
    if isinstance(outcome, Accepted | Rejected | Unknown | NotSent):
        return outcome
    return Unknown(f"no outcome: {outcome!r}")
