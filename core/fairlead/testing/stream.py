"""Carry messages both ways in virtual time: the two ends of a made-up stream."""

from __future__ import annotations

import asyncio
from collections import deque

from fairlead.api import Clock, TransportError

__all__ = ["ClientStream", "Pipe", "ServerStream"]


class Pipe:
    """One direction: messages arrive ``latency_ns`` after they were sent, in their order."""

    def __init__(self, clock: Clock, latency_ns: int) -> None:
        self._clock = clock
        self._latency_ns = latency_ns
        self._under_way: deque[tuple[int, str | bytes]] = deque()
        self._arrived = asyncio.Event()
        #: Why it carries nothing more; None while it does.
        self.broken: str | None = None

    def put(self, message: str | bytes) -> None:
        """Send a message. :raises TransportError: when the stream is gone."""
        if self.broken is not None:
            raise TransportError(f"stream closed: {self.broken}", sent=False)
        self._under_way.append((self._clock.now_ns() + self._latency_ns, message))
        self._arrived.set()

    async def get(self) -> str | bytes:
        """Give the next message; a wait that is cancelled loses none.

        :raises TransportError: when the stream is gone and what was under way has arrived.
        """
        while True:
            while not self._under_way:
                if self.broken is not None:
                    raise TransportError(f"stream closed: {self.broken}", sent=True)
                self._arrived.clear()
                await self._arrived.wait()
            await self._clock.sleep_until_ns(self._under_way[0][0])
            if self._under_way:  # else it was lost while it was under way
                return self._under_way.popleft()[1]

    def cut(self, cause: str, *, lose: bool) -> None:
        """Carry nothing more; ``lose`` = not even what is under way."""
        if lose:
            self._under_way.clear()
        if self.broken is None:
            self.broken = cause
        self._arrived.set()


class ClientStream:
    """The engine's end: a `fairlead.api.Stream`."""

    def __init__(self, incoming: Pipe, outgoing: Pipe) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    async def send(self, message: str | bytes) -> None:
        """Send one message. :raises TransportError: when the stream is gone."""
        self._outgoing.put(message)

    async def receive(self) -> str | bytes:
        """Give the next message. :raises TransportError: when the stream is gone."""
        return await self._incoming.get()

    async def close(self) -> None:
        """Close it; without effect when it is closed."""
        self.hang_up()

    def hang_up(self) -> None:
        """Close it without waiting, as the system does for a process that is gone."""
        self._incoming.cut("closed by the client", lose=True)
        self._outgoing.cut("closed by the client", lose=False)


class ServerStream:
    """The venue's end, for the test's handler."""

    def __init__(self, url: str, incoming: Pipe, outgoing: Pipe) -> None:
        self.url = url
        self._incoming = incoming
        self._outgoing = outgoing

    def send(self, message: str | bytes) -> None:
        """Send one message. :raises TransportError: when the stream is gone."""
        self._outgoing.put(message)

    async def receive(self) -> str | bytes:
        """Give the client's next message. :raises TransportError: when the stream is gone."""
        return await self._incoming.get()

    def close(self, cause: str = "closed by the server") -> None:
        """End it in order: what is under way still arrives."""
        self._outgoing.cut(cause, lose=False)
        self._incoming.cut(cause, lose=True)

    def cut(self, cause: str = "connection lost") -> None:
        """Break it: what is under way is lost both ways."""
        self._outgoing.cut(cause, lose=True)
        self._incoming.cut(cause, lose=True)
