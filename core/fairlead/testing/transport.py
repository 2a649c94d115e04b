"""Reach made-up venues in virtual time: requests and streams that are slow, lost or refused.

The server's side runs in tasks of its own: a client that gives up does not undo what its request
does over there, and an answer that is lost was given all the same.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fairlead.api import Clock, Request, Response, TransportError
from fairlead.testing.stream import ClientStream, Pipe, ServerStream

__all__ = ["Handler", "Passage", "Server", "ServerHost", "StreamHandler", "VirtualTransport"]

ResultT = TypeVar("ResultT")

_MILLISECOND = 1_000_000

#: Answers a request when it arrives; may wait on the clock.
Handler = Callable[[Request], Response | Awaitable[Response]]
#: Serves one stream until it returns, which closes the stream.
StreamHandler = Callable[[ServerStream], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Passage:
    """How one request or stream fares on its way; latencies are one way each."""

    there_ns: int = 10 * _MILLISECOND
    back_ns: int = 10 * _MILLISECOND
    #: The connection is refused: nothing left this machine.
    refused: bool = False
    #: The request never arrives, or its answer never does.
    request_lost: bool = False
    answer_lost: bool = False


class Server:
    """What answers under one prefix of addresses."""

    def __init__(
        self,
        handler: Handler | None,
        stream: StreamHandler | None,
        *,
        passage: Callable[[str], Passage] | None = None,
        remember: bool = True,
    ) -> None:
        self._handler = handler
        self._stream = stream
        self._remember = remember
        #: Draws how each request or stream to this server fares; None = as the transport draws.
        self.passage = passage
        #: Every request that arrived, answered or not.
        self.requests: list[Request] = []
        #: Every stream that was opened.
        self.streams: list[ServerStream] = []

    async def answer(self, request: Request) -> Response:
        """Take a request that has arrived."""
        if self._remember:
            self.requests.append(request)
        if self._handler is None:
            return Response(404, {}, b"")
        answer = self._handler(request)
        return answer if isinstance(answer, Response) else await answer

    async def attend(self, stream: ServerStream) -> None:
        """Serve a stream that has been opened."""
        if self._remember:
            self.streams.append(stream)
        if self._stream is not None:
            await self._stream(stream)


class ServerHost(Protocol):
    """Where a venue says what it serves: a `VirtualTransport`, or a server with real sockets."""

    def serve(
        self,
        prefix: str,
        handler: Handler | None = None,
        *,
        stream: StreamHandler | None = None,
        passage: Callable[[str], Passage] | None = None,
        remember: bool = True,
    ) -> Server:
        """Answer requests and streams whose address begins with ``prefix``."""


class VirtualTransport:
    """The virtual Transport seam. ``passage`` draws how each request or stream fares."""

    def __init__(self, clock: Clock, passage: Callable[[str], Passage] | None = None) -> None:
        self._clock = clock
        self._passage = passage or (lambda url: Passage())
        self._scripted: deque[Passage] = deque()
        self._servers: dict[str, Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # What happens over there belongs to the venue, not to the client that began it.
        self._context = copy_context()
        #: What handlers raised: a mistake of the test, and no answer for the client.
        self.failures: list[Exception] = []

    def serve(
        self,
        prefix: str,
        handler: Handler | None = None,
        *,
        stream: StreamHandler | None = None,
        passage: Callable[[str], Passage] | None = None,
        remember: bool = True,
    ) -> Server:
        """Answer requests and streams whose address begins with ``prefix``; the longest wins.

        ``remember`` False = keep no list of what arrived, for runs that last days.
        """
        server = Server(handler, stream, passage=passage, remember=remember)
        self._servers[prefix] = server
        return server

    def script(self, *passages: Passage) -> None:
        """Say how the next requests and streams fare, one after the other."""
        self._scripted.extend(passages)

    async def request(self, request: Request, *, timeout_ns: int) -> Response:
        """Send and wait. :raises TransportError: as `fairlead.api.Transport` says."""
        server, passage = self._way(request.url)
        done: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._spawn(self._carry(server, request, passage, done))
        return await self._patiently(done, timeout_ns, sent=True)

    async def connect(self, url: str, *, timeout_ns: int) -> ClientStream:
        """Open a stream. :raises TransportError: when it does not open in time."""
        server, passage = self._way(url)
        done: asyncio.Future[ClientStream] = asyncio.get_running_loop().create_future()
        self._spawn(self._open(server, url, passage, done))
        try:
            return await self._patiently(done, timeout_ns, sent=False)
        except asyncio.CancelledError:
            # It may have opened in the very turn in which its client was called off.
            if done.done() and not done.cancelled() and done.exception() is None:
                done.result().hang_up()
            raise

    def _way(self, url: str) -> tuple[Server, Passage]:
        prefix = max((one for one in self._servers if url.startswith(one)), key=len, default=None)
        server = None if prefix is None else self._servers[prefix]
        draw = self._passage if server is None or server.passage is None else server.passage
        passage = self._scripted.popleft() if self._scripted else draw(url)
        if server is None or passage.refused:
            raise TransportError("no connection: refused", sent=False)
        return server, passage

    async def _carry(
        self, server: Server, request: Request, passage: Passage, done: asyncio.Future[Response]
    ) -> None:
        await self._clock.sleep_ns(passage.there_ns)
        if passage.request_lost:
            return
        answer = await server.answer(request)
        await self._clock.sleep_ns(passage.back_ns)
        if not passage.answer_lost and not done.done():
            done.set_result(answer)

    async def _open(
        self, server: Server, url: str, passage: Passage, done: asyncio.Future[ClientStream]
    ) -> None:
        await self._clock.sleep_ns(passage.there_ns)
        if passage.request_lost:
            return
        down = Pipe(self._clock, passage.back_ns)
        up = Pipe(self._clock, passage.there_ns)
        stream = ServerStream(url, up, down)

        def hang_up(done: asyncio.Future[ClientStream]) -> None:
            # A client that gave up before it was told does not leave a stream half open.
            if done.cancelled() or done.exception() is not None:
                stream.cut("the client gave up")

        done.add_done_callback(hang_up)
        self._spawn(self._attend(server, stream))
        await self._clock.sleep_ns(passage.back_ns)
        if not passage.answer_lost and not done.done():
            done.set_result(ClientStream(down, up))

    async def _attend(self, server: Server, stream: ServerStream) -> None:
        try:
            await server.attend(stream)
        except TransportError:
            pass  # the client has gone
        finally:
            stream.close()

    async def _patiently(
        self, done: asyncio.Future[ResultT], timeout_ns: int, *, sent: bool
    ) -> ResultT:
        def give_up() -> None:
            if not done.done():
                done.set_exception(TransportError("no answer: TimeoutError", sent=sent))

        timer = self._clock.call_at_ns(self._clock.now_ns() + timeout_ns, give_up)
        try:
            return await done
        finally:
            timer.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, context=self._context)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self.failures.append(error)
