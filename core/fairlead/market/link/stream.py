"""Keep a stream up: reconnect with jitter, renew in time with overlap, and distrust silence.

A stream is judged by its content. One that answers pings and delivers nothing is dead, and so is
one that delivers what cannot be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import msgspec

from fairlead.api import Clock, Ids, Stream, Transport, TransportError
from fairlead.errors import FeedError
from fairlead.market.link.backoff import Backoff, ConnectBudget

__all__ = ["LinkPolicy", "LinkState", "LinkStatus", "LinkUser", "ReconnectingStream"]

_SECOND = 1_000_000_000
_HOUR = 3_600 * _SECOND
# What a new connection may hold back while the old one still speaks.
_HELD = 10_000


class LinkStatus(StrEnum):
    """How a link stands."""

    #: Content has come in; it counts from here on.
    UP = "up"
    #: Nothing can be relied on until the next `UP`: what was sent meanwhile is lost.
    DOWN = "down"
    #: Another connection has taken over; nothing was lost in between.
    RENEWED = "renewed"


class LinkState(msgspec.Struct, frozen=True):
    """A change of a link, and why."""

    status: LinkStatus
    at_ns: int
    detail: str = ""


class LinkUser(Protocol):
    """Who speaks over a link."""

    async def subscribe(self, stream: Stream) -> None:
        """Say on a new connection what is wanted; may also wait for an answer there.

        :raises TransportError: when the stream is gone.
        """

    def message(self, message: str | bytes) -> bool:
        """Take one message, and say whether it is content: what proves that the stream delivers.

        Synchronous. May get messages twice after a renewal.

        :raises FeedError: when it cannot be read; the link reconnects.
        """

    def changed(self, state: LinkState) -> None:
        """Hear that the link came up, went down or was renewed."""


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    """How a link is kept; the silence and the life of a connection are the venue's."""

    #: A connection without content for this long is dead.
    silence_ns: int
    #: A connection is renewed at this age, before the venue ends it.
    life_ns: int = 23 * _HOUR
    #: How long old and new connection run beside each other.
    overlap_ns: int = 2 * _SECOND
    connect_timeout_ns: int = 5 * _SECOND
    backoff_first_ns: int = _SECOND // 4
    backoff_most_ns: int = 30 * _SECOND
    connects_per_minute: int = 30
    #: Sent at this distance where a venue wants to hear something; None = never.
    ping: str | None = None
    ping_every_ns: int = 20 * _SECOND


@dataclass(slots=True, eq=False)
class _Connection:
    stream: Stream
    opened_ns: int
    #: When content came last, or it was opened.
    content_ns: int
    delivers: bool = False
    #: Messages kept back while another connection still speaks; None = delivered at once.
    held: list[str | bytes] | None = None
    cause: str = ""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def reader(self) -> asyncio.Task[None]:
        return self.tasks[0]


class ReconnectingStream:
    """One stream that is kept up. `run` it; cancelling that closes everything it opened.

    ``url`` is asked before each connection, for venues whose addresses carry a token. Chance
    comes from ``ids`` under ``name``, so each link needs a name of its own.
    """

    def __init__(
        self,
        url: Callable[[], str],
        user: LinkUser,
        policy: LinkPolicy,
        *,
        transport: Transport,
        clock: Clock,
        ids: Ids,
        name: str,
        budget: ConnectBudget | None = None,
    ) -> None:
        self._url = url
        self._user = user
        self._policy = policy
        self._transport = transport
        self._clock = clock
        self._budget = budget or ConnectBudget(policy.connects_per_minute)
        self._backoff = Backoff(
            ids.random(f"link.{name}"), policy.backoff_first_ns, policy.backoff_most_ns
        )
        self._open: list[_Connection] = []
        self._spare: asyncio.Task[_Connection] | None = None
        #: Whether it delivers now.
        self.up = False
        #: Connections opened so far.
        self.connects = 0

    async def run(self) -> None:
        """Keep the stream up until cancelled; raises only what the user's own code raises."""
        try:
            first = True
            while True:
                connection: _Connection | None = await self._establish(wait=not first)
                first = False
                while connection is not None:
                    connection = await self._keep(connection)
        finally:
            self.up = False
            if self._spare is not None:
                self._spare.cancel()
                await asyncio.gather(self._spare, return_exceptions=True)
            for left in tuple(self._open):
                await self._close(left)

    def restart(self, cause: str) -> None:
        """Give up what is open and connect anew; returns at once, nothing when it is down."""
        for connection in self._open:
            connection.cause = cause
            connection.reader.cancel()

    # --- opening

    async def _establish(self, *, wait: bool) -> _Connection:
        while True:
            if wait:
                await self._clock.sleep_ns(self._backoff.next_ns())
            wait = True
            try:
                return await self._connect(hold=False)
            except TransportError as error:
                self._down(error.cause)

    async def _connect(self, *, hold: bool) -> _Connection:
        policy, clock = self._policy, self._clock
        delay_ns = self._budget.wait_ns(clock.monotonic_ns())
        if delay_ns:
            await clock.sleep_ns(delay_ns)
        self._budget.take(clock.monotonic_ns())
        self.connects += 1
        stream = await self._transport.connect(self._url(), timeout_ns=policy.connect_timeout_ns)
        try:
            await self._subscribe(stream)
        except BaseException:  # called off or failed, what was opened is closed
            await stream.close()
            raise
        now_ns = clock.monotonic_ns()
        connection = _Connection(stream, now_ns, now_ns, held=[] if hold else None)
        self._open.append(connection)
        loop = asyncio.get_running_loop()
        connection.tasks.append(loop.create_task(self._read(connection)))
        if policy.ping is not None:
            connection.tasks.append(loop.create_task(self._ping(connection, policy.ping)))
        return connection

    async def _subscribe(self, stream: Stream) -> None:
        try:
            async with asyncio.timeout(self._policy.connect_timeout_ns / _SECOND):
                await self._user.subscribe(stream)
        except TimeoutError as error:
            raise TransportError("the subscription was not answered", sent=True) from error

    async def _close(self, connection: _Connection) -> None:
        self._open.remove(connection)
        for task in connection.tasks:
            task.cancel()
        try:
            await asyncio.gather(*connection.tasks, return_exceptions=True)
        finally:
            # Also when this wait is called off: a stream left open would go on receiving.
            await connection.stream.close()

    # --- one connection

    async def _read(self, connection: _Connection) -> None:
        try:
            while True:
                message = await connection.stream.receive()
                if connection.held is None:
                    self._deliver(connection, message)
                elif len(connection.held) < _HELD:
                    connection.held.append(message)
                else:
                    connection.cause = "more was held back than fits"
                    return
        except TransportError as error:
            connection.cause = error.cause
        except FeedError as error:
            connection.cause = str(error)

    async def _ping(self, connection: _Connection, ping: str) -> None:
        try:
            while True:
                await self._clock.sleep_ns(self._policy.ping_every_ns)
                await connection.stream.send(ping)
        except TransportError:
            pass  # the reader says so

    def _deliver(self, connection: _Connection, message: str | bytes) -> None:
        if not self._user.message(message):
            return
        connection.content_ns = self._clock.monotonic_ns()
        if not connection.delivers:
            connection.delivers = True
            self._backoff.reset()
            if not self.up:
                self.up = True
                self._tell(LinkStatus.UP)

    async def _keep(self, connection: _Connection) -> _Connection | None:
        # Until it is dead or another has taken over; gives the one to go on with.
        policy = self._policy
        renew_ns = connection.opened_ns + policy.life_ns
        while True:
            due_ns = connection.content_ns + policy.silence_ns
            if self._spare is None:
                due_ns = min(due_ns, renew_ns)
            await self._wait(connection.reader, due_ns)
            now_ns = self._clock.monotonic_ns()
            if self._spare is not None and self._spare.done():
                heir = await self._take_over(connection, self._spare)
                if heir is not None:
                    return heir
                renew_ns = now_ns + policy.backoff_most_ns
            if connection.reader.done():
                if not connection.reader.cancelled():
                    connection.reader.result()  # the user's own failure is not the venue's
                return await self._lost(connection, connection.cause)
            if now_ns >= connection.content_ns + policy.silence_ns:
                seconds = (now_ns - connection.content_ns) // _SECOND
                return await self._lost(connection, f"no content for {seconds} s")
            if self._spare is None and now_ns >= renew_ns:
                self._spare = asyncio.get_running_loop().create_task(self._renew())

    async def _renew(self) -> _Connection:
        fresh = await self._connect(hold=True)
        await self._clock.sleep_ns(self._policy.overlap_ns)
        return fresh

    async def _take_over(
        self, old: _Connection, spare: asyncio.Task[_Connection]
    ) -> _Connection | None:
        # What the new one held back follows what the old one has delivered.
        self._spare = None
        try:
            fresh = spare.result()
        except TransportError:
            return None
        if not self._release(fresh):
            await self._close(fresh)
            return None
        await self._close(old)
        self._tell(LinkStatus.RENEWED)
        return fresh

    def _release(self, fresh: _Connection) -> bool:
        held, fresh.held = fresh.held or [], None
        fresh.content_ns = self._clock.monotonic_ns()
        try:
            for message in held:
                self._deliver(fresh, message)
        except FeedError:
            return False
        return fresh.delivers and not fresh.reader.done()

    async def _lost(self, connection: _Connection, cause: str) -> _Connection | None:
        await self._close(connection)
        spare, self._spare = self._spare, None
        if spare is not None:
            # The new one is open already, or will be soon: it goes on without overlap.
            heir = next((one for one in self._open if one.held is not None), None)
            spare.cancel()
            await asyncio.gather(spare, return_exceptions=True)
            if heir is not None and self._release(heir):
                self._tell(LinkStatus.RENEWED, cause)
                return heir
            for left in tuple(self._open):
                await self._close(left)
        self._down(cause)
        return None

    async def _wait(self, reader: asyncio.Task[None], due_ns: int) -> None:
        clock = self._clock
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def ring() -> None:
            if not alarm.done():
                alarm.set_result(None)

        left_ns = max(due_ns - clock.monotonic_ns(), 0)
        timer = clock.call_at_ns(clock.now_ns() + left_ns, ring)
        waits: list[asyncio.Future[None] | asyncio.Task[_Connection]] = [reader, alarm]
        if self._spare is not None:
            waits.append(self._spare)
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()

    def _down(self, cause: str) -> None:
        if self.up or self.connects == 1:
            self.up = False
            self._tell(LinkStatus.DOWN, cause)

    def _tell(self, status: LinkStatus, detail: str = "") -> None:
        self._user.changed(LinkState(status, self._clock.now_ns(), detail))
