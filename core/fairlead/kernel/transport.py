"""Reach venues over the network: the system implementation of the Transport seam.

The web clients load when the first request or stream is asked for, never before.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fairlead.api import Request, Response, Stream, TransportError

if TYPE_CHECKING:
    import aiohttp
    import websockets

__all__ = ["SystemTransport"]

_SECOND = 1_000_000_000
# A venue's answer beyond this is not an answer.
_MAX_BODY_BYTES = 64 * 1024 * 1024


class _WebSocket:
    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: str | bytes) -> None:
        from websockets import ConnectionClosed  # noqa: PLC0415 - loaded where used

        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise TransportError(f"stream closed: {error}", sent=True) from error

    async def receive(self) -> str | bytes:
        from websockets import ConnectionClosed  # noqa: PLC0415 - loaded where used

        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise TransportError(f"stream closed: {error}", sent=True) from error

    async def close(self) -> None:
        await self._connection.close()


class SystemTransport:
    """HTTP by aiohttp and WebSocket by websockets, with certificates always verified."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def request(self, request: Request, *, timeout_ns: int) -> Response:
        """Send one request, once; redirects are answers, not followed."""
        import aiohttp  # noqa: PLC0415 - loaded where used

        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body or None,
                timeout=aiohttp.ClientTimeout(total=timeout_ns / _SECOND),
                allow_redirects=False,
            ) as answer:
                body = bytearray()
                async for piece in answer.content.iter_any():
                    body += piece
                    if len(body) > _MAX_BODY_BYTES:
                        raise TransportError("the answer is too large", sent=True)
                return Response(answer.status, dict(answer.headers), bytes(body))
        except aiohttp.ClientConnectorError as error:
            # A refused certificate among them, which has no error of the system's.
            raise TransportError(f"no connection: {type(error).__name__}", sent=False) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            # Once a connection stands nobody can say how much of the request arrived.
            raise TransportError(f"no answer: {type(error).__name__}", sent=True) from error

    async def connect(self, url: str, *, timeout_ns: int) -> Stream:
        """Open a WebSocket; it answers pings by itself."""
        import websockets  # noqa: PLC0415 - loaded where used

        try:
            async with asyncio.timeout(timeout_ns / _SECOND):
                # The timeout is ours alone; the library's own would cut longer ones short.
                connection = await websockets.connect(
                    url, max_size=_MAX_BODY_BYTES, open_timeout=None
                )
                return _WebSocket(connection)
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            raise TransportError(f"no stream: {type(error).__name__}", sent=False) from error

    async def close(self) -> None:
        """Close the connections that requests left open."""
        if self._session is not None:
            await self._session.close()
            self._session = None
