"""Answer at the control socket: lines of JSON in, lines of JSON out, everything bounded.

The server stands beside the engine (see `SideLoop`): it reads and checks there, and hands each
command to the engine's own loop, so that it is done between two of the engine's steps.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from fairlead.errors import ExitCode
from fairlead.kernel.control_command import (
    MOST_BYTES,
    Answer,
    Command,
    Refused,
    Reply,
    answer_line,
    read_request,
)
from fairlead.kernel.control_socket import ControlSocket
from fairlead.kernel.side import SideLoop

__all__ = ["ControlServer"]

_MOST_CLIENTS = 8
#: Commands of one client whose answers are still out.
_MOST_PENDING = 16
#: What a client may leave unread before it is let go.
_MOST_UNREAD = 4 * 1024 * 1024
_CLOSING_S = 1.0

_Take: TypeAlias = Callable[[Command, str, Reply], None]


class _Client:
    """One connection: what is asked there, and what is still to be answered."""

    def __init__(self, writer: asyncio.StreamWriter, take: _Take, side: SideLoop) -> None:
        self._writer = writer
        self._take = take
        self._side = side
        self._pending = 0
        self._user = _user(writer.get_extra_info("socket"))

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Answer until the other side has enough, or sends what no line is."""
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.LimitOverrunError:
                self.answer(0, Refused(f"a request has at most {MOST_BYTES} bytes"))
                return
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            if line.strip():
                self._request(line)

    def answer(self, number: int, answer: Answer | Refused) -> None:
        """Send an answer, if anybody is still there and reads."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > _MOST_UNREAD:
            transport.abort()
            return
        self._writer.write(answer_line(number, answer))

    def _request(self, line: bytes) -> None:
        try:
            request = read_request(line)
        except ValueError as error:
            self.answer(0, Refused(str(error)))
            return
        if self._pending >= _MOST_PENDING:
            reason = f"{self._pending} commands of yours wait for their answers already"
            self.answer(request.id, Refused(reason, ExitCode.UNAVAILABLE))
            return
        self._pending += 1
        who = f"{request.origin or 'socket'}{self._user}"
        self._side.engine_soon(partial(self._hand_over, request.id, request.command, who))

    def _hand_over(self, number: int, command: Command, who: str) -> None:
        try:
            self._take(command, who, partial(self._answered, number))
        except Exception as error:  # noqa: BLE001 - task supervisor: the client must hear of it
            self._answered(number, Refused(f"our own mistake: {error!r}", ExitCode.BUG))

    def _answered(self, number: int, answer: Answer | Refused) -> None:
        self._pending -= 1
        self.answer(number, answer)


class ControlServer:
    """The shell around `Control`: from `run` until it is cancelled."""

    def __init__(self, place: ControlSocket, take: _Take, side: SideLoop) -> None:
        self._place = place
        self._take = take
        self._side = side
        self._writers: dict[asyncio.StreamWriter, None] = {}

    async def run(self) -> None:
        """Serve until cancelled; what was answered by then is still sent."""
        server = await asyncio.start_unix_server(
            self._connected, sock=self._place.listening, limit=MOST_BYTES
        )
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for writer in self._writers:
                writer.close()
            async with asyncio.timeout(_CLOSING_S):
                await asyncio.gather(
                    *(writer.wait_closed() for writer in self._writers), return_exceptions=True
                )

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(writer, self._take, self._side)
        if len(self._writers) >= _MOST_CLIENTS:
            reason = f"{_MOST_CLIENTS} others are connected already"
            client.answer(0, Refused(reason, ExitCode.UNAVAILABLE))
            writer.close()
            return
        self._writers[writer] = None
        try:
            await client.serve(reader)
        finally:
            del self._writers[writer]
            writer.close()


def _user(connection: socket.socket) -> str:
    # Only Linux tells who is at the other end.
    if sys.platform != "linux":
        return ""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return f" (user {struct.unpack('3i', found)[1]})"
