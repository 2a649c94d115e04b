"""A served venue keeps the promises that the real transport meets at a real one.

Bound: each test ends within 10 s.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fairlead.api import Request, Response, TransportError
from fairlead.kernel import SeededIds, SystemClock, SystemTransport
from fairlead.testing import Passage, ServerStream, SimulatedVenue, VenueSetup
from fairlead.testing.serve import AdminDesk, LoopbackHost

pytestmark = [pytest.mark.system, pytest.mark.timeout(20)]

SECOND = 1_000_000_000
SLOW = 5 * SECOND


def talk(act: Callable[[LoopbackHost, str, SystemTransport], Awaitable[None]]) -> None:
    """Let ``act`` speak with a host that echoes under /echo and ends streams under /brief."""

    async def main() -> None:
        host, transport = LoopbackHost(SystemClock()), SystemTransport()
        passages = iter([Passage(request_lost=True), Passage(answer_lost=True)])
        host.serve("https://any.test/echo", lambda asked: Response(200, {"X": "y"}, asked.body))
        host.serve(
            "https://any.test/lossy",
            lambda asked: Response(200, {}, b""),
            passage=lambda url: next(passages, Passage()),
        )
        host.serve("wss://any.test/echo", stream=_echo)
        host.serve("wss://any.test/brief", stream=_brief)
        port = await host.start()
        try:
            await act(host, f"127.0.0.1:{port}", transport)
        finally:
            await transport.close()
            await host.stop()

    asyncio.run(main())


async def _echo(stream: ServerStream) -> None:
    while True:
        stream.send(await stream.receive())


async def _brief(stream: ServerStream) -> None:
    stream.send("bye")


def test_requests_arrive_whole_and_what_nobody_serves_is_404() -> None:
    async def act(host: LoopbackHost, place: str, transport: SystemTransport) -> None:
        del host
        asked = Request("POST", f"http://{place}/echo?x=1", {}, b"\x00body")
        echo = await transport.request(asked, timeout_ns=SLOW)
        none = await transport.request(Request("GET", f"http://{place}/none"), timeout_ns=SLOW)

        assert (echo.status, echo.headers["X"], echo.body) == (200, "y", b"\x00body")
        assert none.status == 404

    talk(act)


def test_lost_requests_and_lost_answers_are_cut_connections() -> None:
    async def act(host: LoopbackHost, place: str, transport: SystemTransport) -> None:
        del host
        for _ in range(2):
            with pytest.raises(TransportError) as raised:
                await transport.request(Request("POST", f"http://{place}/lossy"), timeout_ns=SLOW)
            assert raised.value.sent

        after = await transport.request(Request("POST", f"http://{place}/lossy"), timeout_ns=SLOW)
        assert after.status == 200

    talk(act)


def test_streams_carry_text_and_bytes_and_end_with_their_server() -> None:
    async def act(host: LoopbackHost, place: str, transport: SystemTransport) -> None:
        stream = await transport.connect(f"ws://{place}/echo", timeout_ns=SLOW)
        for message in ("text", b"bytes"):
            await stream.send(message)
            assert await stream.receive() == message
        brief = await transport.connect(f"ws://{place}/brief", timeout_ns=SLOW)
        assert await brief.receive() == "bye"
        with pytest.raises(TransportError):
            await brief.receive()

        await host.stop()
        with pytest.raises(TransportError):
            await stream.receive()

    talk(act)


def test_behind_the_venue_tests_see_the_truth_and_turn_knobs() -> None:
    async def act() -> None:
        clock = SystemClock()
        host, transport = LoopbackHost(clock), SystemTransport()
        desk = AdminDesk(lambda: SimulatedVenue(VenueSetup(), clock, SeededIds(1)), host)
        desk.open()
        place = f"http://127.0.0.1:{await host.start()}/admin"

        async def ask(path: str, body: bytes = b"{}") -> Response:
            request = Request("POST", f"{place}/{path}", {}, body)
            return await transport.request(request, timeout_ns=SLOW)

        try:
            assert (await ask("knobs", b'{"late": 0.5, "late_ns": [1, 2]}')).status == 200
            assert (await ask("knobs", b'{"nonsense": 1}')).status == 404
            assert (await ask("deed", b'{"deed": "nonsense"}')).status == 404
            assert (await ask("deed", b'{"deed": "external_order"}')).status == 200
            assert b'"origin":"external"' in (await ask("truth")).body
            assert (await ask("reset")).status == 200
            assert b'"open":[]' in (await ask("truth")).body
        finally:
            desk.close()
            await transport.close()
            await host.stop()

    asyncio.run(act())
