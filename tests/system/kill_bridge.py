"""Let an engine in one process meet a venue in another, both in one virtual time.

The venue's process keeps the time. Whenever the engine has nothing to do until an instant, it
asks to go there, and gets there or to the first thing that reaches it before. So a run is the
same each time, the engine's process can really be killed, and the venue lives on.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from typing_extensions import override

from fairlead.api import Request, Response, Stream, TransportError
from fairlead.kernel import SeededIds, VirtualClock, VirtualLoop
from fairlead.testing.simulated import SimulatedVenue, VenueSetup
from fairlead.testing.transport import VirtualTransport
from tests.system.kill_points import Points

SECOND = 1_000_000_000
START_NS = 1_767_225_600 * SECOND
_FAR_NS = START_NS + 10**18


class VenueSide:
    """The venue, its loop and its time."""

    def __init__(self, seed: int) -> None:
        self._loop = VirtualLoop(START_NS)
        self.clock = VirtualClock(self._loop)
        self._transport = VirtualTransport(self.clock)
        self.venue = SimulatedVenue(VenueSetup(thin_ns=SECOND // 2), self.clock, SeededIds(seed))
        self.venue.serve(self._transport)
        self._streams: dict[int, Stream] = {}
        self._out: list[tuple[Any, ...]] = []
        self._stirred = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients = 0
        self._go(self._begin())

    def attend(self, line: Connection) -> tuple[Any, ...] | None:
        """Serve one engine until it ends; gives its last words, None when it was killed."""
        self._clients += 1
        self._out.clear()
        while True:
            try:
                kind, *what = line.recv()
                if kind == "go":
                    if not self._out:
                        self._go(self._until(what[0]))
                    line.send((self.clock.now_ns(), tuple(self._out)))
                    self._out.clear()
                elif kind == "ended":
                    return tuple(what)
                else:
                    self._spawn(getattr(self, f"_{kind}")(self._clients, *what))
            except (EOFError, ConnectionError):
                return None

    def hang_up(self) -> None:
        """Break every stream of the engine that is gone; its requests go on."""
        for stream in tuple(self._streams.values()):
            self._go(stream.close())
        self._streams.clear()

    def wait(self, duration_ns: int) -> None:
        """Let time pass without an engine."""
        self._go(self.clock.sleep_ns(duration_ns))

    def close(self) -> None:
        """End everything."""
        self.venue.stop()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._go(_ended(left))
        self._loop.close()

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        self._loop.run_until_complete(work)

    async def _begin(self) -> None:
        self.venue.start()

    async def _until(self, at_ns: int) -> None:
        self._stirred.clear()
        timer = self.clock.call_at_ns(at_ns, self._stirred.set)
        await self._stirred.wait()
        timer.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, client: int, *what: object) -> None:
        if client == self._clients:
            self._out.append(what)
            self._stirred.set()

    async def _request(self, client: int, number: int, request: Request, timeout_ns: int) -> None:
        answer: object
        try:
            answer = await self._transport.request(request, timeout_ns=timeout_ns)
        except TransportError as error:
            answer = (error.cause, error.sent)
        self._tell(client, number, answer)

    async def _connect(self, client: int, number: int, url: str, timeout_ns: int) -> None:
        try:
            stream = await self._transport.connect(url, timeout_ns=timeout_ns)
        except TransportError as error:
            self._tell(client, number, (error.cause, error.sent))
            return
        if client != self._clients:
            await stream.close()
            return
        self._streams[number] = stream
        self._tell(client, number, None)
        try:
            while True:
                self._tell(client, number, await stream.receive())
        except TransportError as error:
            self._tell(client, number, (error.cause, error.sent))

    async def _send(self, client: int, number: int, message: str | bytes) -> None:
        del client
        if number in self._streams:
            with suppress(TransportError):  # whoever receives hears of it
                await self._streams[number].send(message)

    async def _close(self, client: int, number: int) -> None:
        del client
        stream = self._streams.pop(number, None)
        if stream is not None:
            await stream.close()


async def _ended(tasks: set["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


class EngineLoop(VirtualLoop):
    """The engine's loop: where it would let time pass it asks the venue's process to."""

    def __init__(self, line: Connection) -> None:
        super().__init__(START_NS)
        self.line = line
        self.deliver: Callable[[int, object], None] = lambda number, what: None

    @override
    def jump(self, at_ns: int) -> bool:
        return at_ns <= self._now_ns

    @override
    def _go_to_next(self) -> None:
        self.line.send(("go", self._timers[0][0] if self._timers else _FAR_NS))
        now_ns, arrived = self.line.recv()
        self._now_ns = max(self._now_ns, now_ns)
        for number, what in arrived:
            self.deliver(number, what)


class BridgeTransport:
    """The engine's Transport seam, with a point before and after everything that leaves."""

    def __init__(self, loop: EngineLoop, points: Points) -> None:
        self._loop = loop
        self._points = points
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._streams: dict[int, asyncio.Queue[Any]] = {}
        loop.deliver = self._deliver

    async def request(self, request: Request, *, timeout_ns: int) -> Response:
        answer = await self._ask("request", request, timeout_ns)
        if isinstance(answer, tuple):
            raise TransportError(answer[0], sent=answer[1])
        self._points.at("answer came")
        assert isinstance(answer, Response)
        return answer

    async def connect(self, url: str, *, timeout_ns: int) -> Stream:
        number = next(self._numbers)
        queue = self._streams[number] = asyncio.Queue()
        refused = await self._ask("connect", url, timeout_ns, number=number)
        if refused is not None:
            raise TransportError(refused[0], sent=False)
        return _BridgeStream(self._loop.line, number, queue)

    async def _ask(self, kind: str, what: object, timeout_ns: int, number: int = 0) -> Any:  # noqa: ANN401 - whatever came
        number = number or next(self._numbers)
        future = self._waiting[number] = self._loop.create_future()
        self._points.at(f"{kind} leaves")
        self._loop.line.send((kind, number, what, timeout_ns))
        self._points.at(f"{kind} left")
        return await future

    def _deliver(self, number: int, what: object) -> None:
        future = self._waiting.pop(number, None)
        if future is None:
            self._streams[number].put_nowait(what)
        elif not future.done():
            future.set_result(what)


class _BridgeStream:
    def __init__(self, line: Connection, number: int, queue: "asyncio.Queue[Any]") -> None:
        self._line = line
        self._number = number
        self._queue = queue
        self._broken: tuple[str, bool] | None = None

    async def send(self, message: str | bytes) -> None:
        if self._broken is not None:
            raise TransportError(self._broken[0], sent=False)
        self._line.send(("send", self._number, message))

    async def receive(self) -> str | bytes:
        if self._broken is None:
            message = await self._queue.get()
            if not isinstance(message, tuple):
                assert isinstance(message, str | bytes)
                return message
            self._broken = message
        raise TransportError(self._broken[0], sent=True)

    async def close(self) -> None:
        if self._broken is None:
            self._broken = ("closed by the client", True)
            self._line.send(("close", self._number))
