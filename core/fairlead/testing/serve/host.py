"""Answer real requests and streams on 127.0.0.1 for handlers written for virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import WSMsgType, web

from fairlead.api import Clock, Request, TransportError
from fairlead.testing.stream import Pipe, ServerStream
from fairlead.testing.transport import Handler, Passage, Server, StreamHandler

__all__ = ["LoopbackHost"]

_HOST = "127.0.0.1"


class LoopbackHost:
    """A web server that takes the place of a `VirtualTransport` for one venue.

    What the venue serves under any host name is answered here under its path. Lost requests and
    answers are cut connections; latencies are those of the machine.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._servers: dict[str, Server] = {}
        self._stream_servers: dict[str, Server] = {}
        self._runner: web.AppRunner | None = None
        self._streams: list[ServerStream] = []
        self._app = web.Application(client_max_size=16 * 1024 * 1024)

    def serve(
        self,
        prefix: str,
        handler: Handler | None = None,
        *,
        stream: StreamHandler | None = None,
        passage: Callable[[str], Passage] | None = None,
        remember: bool = True,
    ) -> Server:
        """Answer under the path of ``prefix``; the longest one counts."""
        server = Server(handler, stream, passage=passage, remember=remember)
        (self._stream_servers if stream else self._servers)[_path(prefix)] = server
        return server

    def add(self, path: str, handler: Callable[[web.Request], object]) -> None:
        """Answer one path by a handler of the web server's own kind."""
        self._app.router.add_route("*", path, handler)  # type: ignore[arg-type]  # awaitable answers

    async def start(self, port: int = 0) -> int:
        """Begin to listen, on any free port for 0; gives the port."""
        self._app.router.add_route("*", "/{tail:.*}", self._take)
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, port)
        await site.start()
        found: int = self._runner.addresses[0][1]
        return found

    async def stop(self) -> None:
        """End every connection and stop to listen."""
        for stream in self._streams:
            stream.cut("the server ends")
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        wants_stream = request.headers.get("Upgrade", "").lower() == "websocket"
        servers = self._stream_servers if wants_stream else self._servers
        place = max((one for one in servers if path.startswith(one)), key=len, default=None)
        if place is None:
            return web.Response(status=404)
        server = servers[place]
        url = f"http://{_HOST}{request.path_qs}"
        passage = Passage() if server.passage is None else server.passage(url)
        if passage.refused or passage.request_lost:
            return _cut(request)
        if wants_stream:
            return await self._attend(server, url, request)
        asked = Request(request.method, url, dict(request.headers), await request.read())
        answer = await server.answer(asked)
        if passage.answer_lost:
            return _cut(request)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _attend(self, server: Server, url: str, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        up, down = Pipe(self._clock, 0), Pipe(self._clock, 0)
        stream = ServerStream(url, up, down)
        self._streams.append(stream)
        loop = asyncio.get_running_loop()
        attending = loop.create_task(_quietly(server, stream))
        sending = loop.create_task(_send(socket, down))
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    up.put(message.data)
        except TransportError:
            pass  # the venue has cut it
        finally:
            self._streams.remove(stream)
            stream.cut("the client has gone")
            for task in (attending, sending):
                task.cancel()
            await asyncio.gather(attending, sending, return_exceptions=True)
        return socket


async def _quietly(server: Server, stream: ServerStream) -> None:
    try:
        await server.attend(stream)
    except TransportError:
        pass  # the client has gone
    finally:
        stream.close()


async def _send(socket: web.WebSocketResponse, down: Pipe) -> None:
    try:
        while True:
            message = await down.get()
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_str(message)
    except (TransportError, ConnectionError):
        await socket.close()


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _path(prefix: str) -> str:
    return "/" + prefix.split("://", 1)[-1].partition("/")[2]
