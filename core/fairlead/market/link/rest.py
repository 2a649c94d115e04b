"""Ask a venue and act there by requests: whatever happens comes back as a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from fairlead.api import (
    UNMETERED,
    Clock,
    Meter,
    Request,
    RequestKind,
    Response,
    Transport,
    TransportError,
)
from fairlead.market.link.outcome import OutcomeTable, retry_after_ns
from fairlead.model import NotSent, Outcome, Rejected, Unavailable, Unknown

__all__ = ["RestLink"]

AnswerT = TypeVar("AnswerT")

_SECOND = 1_000_000_000
_BUSY = 429
_BANNED = 418

#: Reads the code and the text out of an answer that is no acceptance; ("", "") when it cannot.
Complaint = Callable[[Response], tuple[str, str]]


class RestLink:
    """Requests to one venue under one account.

    A venue that asked for patience gets it: until then nothing leaves but cancels, and after a
    ban (418) nothing at all. Queries leave as the ``meter`` has room for them; what creates and
    cancels weigh was asked for before they came here.
    """

    def __init__(
        self,
        table: OutcomeTable,
        complaint: Complaint,
        *,
        transport: Transport,
        clock: Clock,
        meter: Meter = UNMETERED,
    ) -> None:
        self._table = table
        self._complaint = complaint
        self._transport = transport
        self._clock = clock
        self._meter = meter
        # By the monotonic clock: patience does not end because somebody set the time.
        self._busy_until_ns: int | None = None
        self._banned_until_ns: int | None = None

    def held_until_ns(self, *, urgent: bool = False) -> int:
        """Say until when the venue does not want to hear from us; 0 = it may be asked now."""
        holds = (self._banned_until_ns, None if urgent else self._busy_until_ns)
        until_ns = max((hold for hold in holds if hold is not None), default=None)
        left_ns = 0 if until_ns is None else until_ns - self._clock.monotonic_ns()
        return self._clock.now_ns() + left_ns if left_ns > 0 else 0

    async def query(
        self,
        request: Request,
        read: Callable[[bytes], AnswerT],
        *,
        timeout_ns: int = 5 * _SECOND,
        missing: Callable[[str], AnswerT] | None = None,
        kind: str = RequestKind.QUERY,
        urgent: bool = False,
    ) -> AnswerT | Unavailable:
        """Ask what changes nothing. ``read`` raises ValueError at what it cannot read.

        ``missing`` answers a complaint by its code; KeyError = it is none of those that do.
        ``kind`` says what it weighs; it waits for room for up to ``timeout_ns``. ``urgent`` = it
        protects us: it has the room of cancels.
        """
        response = await self._get(request, kind, timeout_ns, urgent=urgent)
        if isinstance(response, Unavailable):
            return response
        if response.status == 200:
            try:
                return read(response.body)
            except (ValueError, msgspec.MsgspecError) as error:
                return Unavailable(f"cannot be read: {error}")
        self._heed(response)
        code, text = self._complaint(response)
        if missing is not None:
            try:
                return missing(code)
            except KeyError:
                pass
        return Unavailable(f"{response.status} {code} {text}".strip())

    async def _get(
        self, request: Request, kind: str, timeout_ns: int, *, urgent: bool
    ) -> Response | Unavailable:
        if not await self._meter.admit(kind, within_ns=timeout_ns, urgent=urgent):
            return Unavailable("no room in the venue's budget")
        if self.held_until_ns():
            return Unavailable("the venue asked for patience")
        try:
            response = await self._transport.request(request, timeout_ns=timeout_ns)
        except TransportError as error:
            self._meter.heard(kind, None)
            return Unavailable(error.cause)
        self._meter.heard(kind, response)
        return response

    async def act(
        self,
        request: Request,
        count: int,
        read: Callable[[bytes], tuple[Outcome, ...]],
        *,
        urgent: bool,
        timeout_ns: int,
    ) -> tuple[Outcome, ...]:
        """Send, once, what may change something; gives ``count`` outcomes and never raises.

        ``urgent`` = a cancel: it leaves although the venue asked for patience, unless it banned us.
        A complaint about all of it together is marked as `Rejected.whole`.
        """
        kind = RequestKind.CANCEL if urgent else RequestKind.CREATE
        held_until_ns = self.held_until_ns(urgent=urgent)
        if held_until_ns:
            return (NotSent(held_until_ns, "the venue asked for patience"),) * count
        try:
            response = await self._transport.request(request, timeout_ns=timeout_ns)
        except TransportError as error:
            self._meter.heard(kind, None)
            return (self._table.no_answer(error),) * count
        self._meter.heard(kind, response)
        if response.status == 200:
            return self._read(response, count, read)
        self._heed(response)
        code, text = self._complaint(response)
        retry_at_ns = retry_after_ns(response, self._clock.now_ns())
        outcome = self._table.judge(response.status, code, text, retry_at_ns=retry_at_ns)
        return (_of_all(outcome, response.status) if count > 1 else outcome,) * count

    def _read(
        self, response: Response, count: int, read: Callable[[bytes], tuple[Outcome, ...]]
    ) -> tuple[Outcome, ...]:
        try:
            outcomes = read(response.body)
        except (ValueError, msgspec.MsgspecError) as error:
            return (Unknown(f"cannot be read: {error}"),) * count
        if len(outcomes) != count:
            return (Unknown(f"{len(outcomes)} outcomes for {count} requests"),) * count
        return outcomes

    def _heed(self, response: Response) -> None:
        # Whatever the code says, a venue that is asked too often says so by these two.
        if response.status not in (_BUSY, _BANNED):
            return
        until_ns = retry_after_ns(response, self._clock.monotonic_ns())
        if response.status == _BUSY:
            self._busy_until_ns = max(self._busy_until_ns or until_ns, until_ns)
        else:
            self._banned_until_ns = max(self._banned_until_ns or until_ns, until_ns)


def _of_all(outcome: Outcome, status: int) -> Outcome:
    # A venue that is busy, bans or is being maintained would say the same of each.
    if not 400 <= status < 500 or status in (_BUSY, _BANNED):
        return outcome
    if isinstance(outcome, Rejected | NotSent):
        return msgspec.structs.replace(outcome, whole=True)
    return outcome
