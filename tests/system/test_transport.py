"""The real transport against a real server on this machine, held to the virtual one's promises."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
import websockets
from aiohttp import web

from fairlead.api import Request, Response, Transport, TransportError
from fairlead.kernel import SystemTransport
from fairlead.testing import (
    Passage,
    ServerStream,
    VirtualClock,
    VirtualTransport,
    run_virtual,
)

pytestmark = pytest.mark.system

SECOND = 1_000_000_000
MS = 1_000_000
LIMIT_S = 10.0
BIG = b"0123456789abcdef" * 65_536  # a megabyte comes in many pieces

ResultT = TypeVar("ResultT")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def bounded(main: Coroutine[Any, Any, ResultT]) -> ResultT:
    async def limited() -> ResultT:
        async with asyncio.timeout(LIMIT_S):
            return await main

    return asyncio.run(limited())


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[tuple[SystemTransport, str]]:
    """Serve one handler on a free port, and give a transport with the address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    transport = SystemTransport()
    try:
        host, port = runner.addresses[0][:2]
        yield transport, f"http://{host}:{port}"
    finally:
        await transport.close()
        await runner.cleanup()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def caught(work: Coroutine[Any, Any, object]) -> TransportError:
    try:
        await work
    except TransportError as error:
        return error
    raise AssertionError("nothing went wrong")


def test_a_request_arrives_whole_and_so_does_its_answer() -> None:
    seen: list[tuple[str, str, str | None, bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(
            (request.method, request.path_qs, request.headers.get("X-Key"), await request.read())
        )
        return web.Response(status=418, headers={"Retry-After": "7"}, body=b"no coffee")

    async def main() -> Response:
        async with served(answer) as (transport, url):
            request = Request("POST", f"{url}/order?x=1", {"X-Key": "hush"}, b"buy")
            return await transport.request(request, timeout_ns=5 * SECOND)

    response = bounded(main())

    assert seen == [("POST", "/order?x=1", "hush", b"buy")]
    assert (response.status, response.body) == (418, b"no coffee")
    assert response.headers["Retry-After"] == "7"


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_that_comes_in_pieces_is_given_whole(chunked: bool) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if not chunked:
            return web.Response(body=BIG)
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(BIG), 100_000):
            await response.write(BIG[start : start + 100_000])
            await asyncio.sleep(0.001)
        await response.write_eof()
        return response

    async def main() -> Response:
        async with served(answer) as (transport, url):
            return await transport.request(Request("GET", url), timeout_ns=5 * SECOND)

    assert bounded(main()).body == BIG


def test_redirects_are_answers() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("https://elsewhere.example/")

    async def main() -> Response:
        async with served(answer) as (transport, url):
            return await transport.request(Request("GET", url), timeout_ns=5 * SECOND)

    assert bounded(main()).status == 302


def test_an_answer_that_comes_too_late_may_have_had_an_effect() -> None:
    arrived: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        arrived.append(request.method)
        await asyncio.sleep(LIMIT_S)
        return web.Response()

    async def main() -> TransportError:
        async with served(answer) as (transport, url):
            return await caught(transport.request(Request("POST", url), timeout_ns=200 * MS))

    assert bounded(main()).sent
    assert arrived == ["POST"]


def test_a_connection_cut_before_the_answer_may_have_had_an_effect() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        await asyncio.sleep(LIMIT_S)
        return web.Response()

    async def main() -> TransportError:
        async with served(answer) as (transport, url):
            return await caught(transport.request(Request("POST", url), timeout_ns=5 * SECOND))

    assert bounded(main()).sent


def test_an_answer_cut_in_the_middle_is_no_answer() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half of it")
        assert request.transport is not None
        request.transport.close()
        return response

    async def main() -> TransportError:
        async with served(answer) as (transport, url):
            return await caught(transport.request(Request("POST", url), timeout_ns=5 * SECOND))

    assert bounded(main()).sent


def test_a_create_is_never_sent_twice_over_a_connection_that_has_died() -> None:
    arrived: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        arrived.append(request.path)
        if request.path == "/second":
            assert request.transport is not None
            request.transport.close()
            await asyncio.sleep(LIMIT_S)
        return web.Response()

    async def main() -> TransportError:
        async with served(answer) as (transport, url):
            await transport.request(Request("POST", f"{url}/first"), timeout_ns=5 * SECOND)
            return await caught(
                transport.request(Request("POST", f"{url}/second"), timeout_ns=5 * SECOND)
            )

    assert bounded(main()).sent
    assert arrived == ["/first", "/second"]


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
def test_a_refused_connection_or_an_unknown_host_left_nothing(host: str) -> None:
    async def main() -> TransportError:
        transport = SystemTransport()
        try:
            request = Request("POST", f"http://{host}:{free_port()}/order")
            return await caught(transport.request(request, timeout_ns=5 * SECOND))
        finally:
            await transport.close()

    error = bounded(main())

    assert not error.sent
    assert error.cause.startswith("no connection")


def test_a_server_without_a_proper_certificate_gets_nothing() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response()

    async def main() -> TransportError:
        async with served(answer) as (transport, url):
            secure = url.replace("http://", "https://")
            return await caught(transport.request(Request("POST", secure), timeout_ns=5 * SECOND))

    assert not bounded(main()).sent


def test_closing_a_transport_that_was_never_used_is_nothing() -> None:
    async def main() -> None:
        transport = SystemTransport()
        await transport.close()
        await transport.close()

    bounded(main())


# Streams: one story, told to the real transport and to the virtual one.


async def stream_story(transport: Transport, url: str) -> list[str]:
    """Speak with a server that echoes three messages and then cuts the connection."""
    told: list[str] = []
    stream = await transport.connect(url, timeout_ns=5 * SECOND)
    for message in ("one", "two", "cut"):
        await stream.send(message)
        try:
            told.append(str(await stream.receive()))
        except TransportError as error:
            told.append(f"gone, sent={error.sent}")
    try:
        await stream.send("more")
        await stream.receive()
    except TransportError:
        told.append("still gone")
    await stream.close()
    await stream.close()
    return told


STORY = ["ONE", "TWO", "gone, sent=True", "still gone"]


def test_a_stream_speaks_both_ways_until_it_is_cut() -> None:
    async def serve(connection: websockets.ServerConnection) -> None:
        async for message in connection:
            if message == "cut":
                connection.transport.abort()
                return
            await connection.send(str(message).upper())

    async def main() -> list[str]:
        async with websockets.serve(serve, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            transport = SystemTransport()
            try:
                return await stream_story(transport, f"ws://127.0.0.1:{port}")
            finally:
                await transport.close()

    assert bounded(main()) == STORY


def test_the_virtual_stream_tells_the_same_story() -> None:
    async def serve(stream: ServerStream) -> None:
        while (message := await stream.receive()) != "cut":
            stream.send(str(message).upper())
        stream.cut()

    async def main(clock: VirtualClock) -> list[str]:
        transport = VirtualTransport(clock)
        transport.serve("ws://", stream=serve)
        return await stream_story(transport, "ws://venue.example")

    assert run_virtual(main) == STORY


def test_a_stream_that_the_server_closes_in_order_is_gone_too() -> None:
    async def serve(connection: websockets.ServerConnection) -> None:
        await connection.send("last")

    async def main() -> tuple[str | bytes, bool]:
        async with websockets.serve(serve, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            stream = await SystemTransport().connect(
                f"ws://127.0.0.1:{port}", timeout_ns=5 * SECOND
            )
            last = await stream.receive()
            error = await caught(stream.receive())
            await stream.close()
            return last, error.sent

    assert bounded(main()) == ("last", True)


@pytest.mark.parametrize("what", ["silent", "no stream there"])
def test_a_stream_that_does_not_open_was_not_opened(what: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if what == "silent":
            await asyncio.sleep(LIMIT_S)
        return web.Response(status=404)

    async def main() -> TransportError:
        async with served(answer) as (transport, url):
            stream_url = url.replace("http://", "ws://")
            return await caught(transport.connect(stream_url, timeout_ns=200 * MS))

    assert not bounded(main()).sent


def test_a_stream_to_nobody_was_not_opened() -> None:
    async def main() -> TransportError:
        url = f"ws://127.0.0.1:{free_port()}"
        return await caught(SystemTransport().connect(url, timeout_ns=5 * SECOND))

    assert not bounded(main()).sent


@pytest.mark.parametrize(
    ("passage", "sent"),
    [
        (Passage(answer_lost=True), True),
        (Passage(request_lost=True), True),
        (Passage(refused=True), False),
    ],
    ids=["timeout", "lost", "refused"],
)
def test_the_virtual_transport_judges_as_the_real_one_does(passage: Passage, sent: bool) -> None:
    async def main(clock: VirtualClock) -> bool:
        transport = VirtualTransport(clock)
        transport.serve("http://", lambda request: Response(200, {}, b""))
        transport.script(passage)
        request = Request("POST", "http://venue.example/order")
        return (await caught(transport.request(request, timeout_ns=SECOND))).sent

    assert run_virtual(main) is sent
