import asyncio

import pytest

from fairlead.api import Request, Response, TransportError
from fairlead.testing import (
    Passage,
    Pipe,
    ServerStream,
    VirtualClock,
    VirtualTransport,
    run_virtual,
)

SECOND = 1_000_000_000
MS = 1_000_000
URL = "https://venue.example/order"
WS = "wss://venue.example/stream"


def echo(request: Request) -> Response:
    return Response(200, {}, request.body)


async def caught(work: object) -> TransportError:
    assert asyncio.iscoroutine(work)
    try:
        await work
    except TransportError as error:
        return error
    raise AssertionError("nothing went wrong")


def test_a_request_is_answered_after_the_way_there_and_back() -> None:
    async def main(clock: VirtualClock) -> tuple[Response, int, int]:
        transport = VirtualTransport(clock, lambda url: Passage(there_ns=30 * MS, back_ns=5 * MS))
        arrived: list[int] = []

        def answer(request: Request) -> Response:
            arrived.append(clock.now_ns())
            return echo(request)

        transport.serve("https://venue.example/", answer)
        response = await transport.request(Request("POST", URL, {}, b"hello"), timeout_ns=SECOND)
        return response, arrived[0], clock.now_ns()

    assert run_virtual(main) == (Response(200, {}, b"hello"), 30 * MS, 35 * MS)


def test_a_server_may_think_in_virtual_time() -> None:
    async def main(clock: VirtualClock) -> int:
        transport = VirtualTransport(clock)

        async def think(request: Request) -> Response:
            await clock.sleep_ns(SECOND)
            return echo(request)

        transport.serve("https://", think)
        await transport.request(Request("GET", URL), timeout_ns=2 * SECOND)
        return clock.now_ns()

    assert run_virtual(main) == SECOND + 20 * MS


@pytest.mark.parametrize(
    ("passage", "arrives"),
    [
        (Passage(request_lost=True), False),
        (Passage(answer_lost=True), True),
        (Passage(there_ns=2 * SECOND), True),
        (Passage(back_ns=2 * SECOND), True),
    ],
    ids=["request lost", "answer lost", "late there", "late back"],
)
def test_without_an_answer_in_time_nobody_knows_what_arrived(
    passage: Passage, arrives: bool
) -> None:
    async def main(clock: VirtualClock) -> tuple[TransportError, int, int]:
        transport = VirtualTransport(clock)
        server = transport.serve("https://", echo)
        transport.script(passage)
        error = await caught(transport.request(Request("POST", URL), timeout_ns=SECOND))
        at_ns = clock.now_ns()
        await clock.sleep_ns(10 * SECOND)
        return error, at_ns, len(server.requests)

    error, at_ns, arrived = run_virtual(main)

    assert error.sent
    assert at_ns == SECOND
    assert arrived == int(arrives)


def test_a_client_that_is_called_off_does_not_undo_what_it_sent() -> None:
    async def main(clock: VirtualClock) -> int:
        transport = VirtualTransport(clock)
        server = transport.serve("https://", echo)
        call = asyncio.ensure_future(transport.request(Request("POST", URL), timeout_ns=SECOND))
        await clock.sleep_ns(MS)
        call.cancel()
        await clock.sleep_ns(SECOND)
        return len(server.requests)

    assert run_virtual(main) == 1


def test_what_is_refused_never_left() -> None:
    async def main(clock: VirtualClock) -> list[bool]:
        transport = VirtualTransport(clock)
        server = transport.serve("https://venue.example", echo)
        transport.script(Passage(refused=True))
        errors = [
            await caught(transport.request(Request("POST", URL), timeout_ns=SECOND)),
            await caught(
                transport.request(Request("POST", "https://nobody.example"), timeout_ns=SECOND)
            ),
            await caught(transport.connect("wss://nobody.example", timeout_ns=SECOND)),
        ]
        assert server.requests == []
        return [error.sent for error in errors]

    assert run_virtual(main) == [False] * 3


def test_the_longest_prefix_answers_and_scripts_go_in_turn() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        transport = VirtualTransport(clock)
        transport.serve("https://venue.example", lambda request: Response(404, {}, b""))
        transport.serve(URL, echo)
        transport.script(Passage(there_ns=0, back_ns=0), Passage(there_ns=0, back_ns=SECOND))
        statuses = []
        for url in (URL, "https://venue.example/other", URL):
            response = await transport.request(Request("GET", url), timeout_ns=5 * SECOND)
            statuses.append(response.status)
        return [*statuses, clock.now_ns()]

    assert run_virtual(main) == [200, 404, 200, SECOND + 20 * MS]


def test_a_server_without_a_handler_has_nothing() -> None:
    async def main(clock: VirtualClock) -> int:
        transport = VirtualTransport(clock)
        transport.serve("https://")
        return (await transport.request(Request("GET", URL), timeout_ns=SECOND)).status

    assert run_virtual(main) == 404


def test_a_handler_that_fails_gives_no_answer_and_is_kept_for_the_test() -> None:
    async def main(clock: VirtualClock) -> tuple[bool, list[str]]:
        transport = VirtualTransport(clock)

        def fail(request: Request) -> Response:
            raise KeyError(request.method)

        transport.serve("https://", fail)
        error = await caught(transport.request(Request("GET", URL), timeout_ns=SECOND))
        return error.sent, [repr(failure) for failure in transport.failures]

    assert run_virtual(main) == (True, ["KeyError('GET')"])


def test_messages_go_both_ways_in_their_order() -> None:
    async def main(clock: VirtualClock) -> tuple[list[object], list[int]]:
        transport = VirtualTransport(clock)

        async def talk(stream: ServerStream) -> None:
            assert await stream.receive() == "hello"
            for number in range(3):
                stream.send(str(number))
            await clock.sleep_ns(SECOND)
            stream.send(b"bye")

        transport.serve("wss://", stream=talk)
        stream = await transport.connect(WS, timeout_ns=SECOND)
        times = [clock.now_ns()]
        await stream.send("hello")
        heard: list[object] = []
        while True:
            try:
                heard.append(await stream.receive())
            except TransportError as error:
                heard.append(error.cause)
                return heard, [*times, clock.now_ns()]
            times.append(clock.now_ns())

    heard, times = run_virtual(main)

    assert heard == ["0", "1", "2", b"bye", "stream closed: closed by the server"]
    assert times[0] == 20 * MS
    assert times[1:4] == [40 * MS] * 3
    assert times[4] == SECOND + 40 * MS


def test_a_cut_stream_loses_what_is_under_way() -> None:
    async def main(clock: VirtualClock) -> list[bool]:
        transport = VirtualTransport(clock)
        server = transport.serve("wss://", stream=lambda stream: clock.sleep_ns(100 * SECOND))
        stream = await transport.connect(WS, timeout_ns=SECOND)
        (other,) = server.streams
        other.send("lost")
        other.cut()
        errors = [await caught(stream.receive()), await caught(stream.send("more"))]
        with pytest.raises(TransportError):
            other.send("more")
        return [error.sent for error in errors]

    assert run_virtual(main) == [True, False]


def test_a_client_that_closes_lets_the_server_know() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        heard: list[str] = []
        transport = VirtualTransport(clock)

        async def listen(stream: ServerStream) -> None:
            while True:
                heard.append(str(await stream.receive()))

        transport.serve("wss://", stream=listen)
        stream = await transport.connect(WS, timeout_ns=SECOND)
        await stream.send("last words")
        await stream.close()
        await stream.close()
        heard.append((await caught(stream.receive())).cause)
        await clock.sleep_ns(SECOND)
        assert transport.failures == []
        return heard

    assert run_virtual(main) == ["stream closed: closed by the client", "last words"]


def test_a_wait_that_is_called_off_loses_no_message() -> None:
    async def main(clock: VirtualClock) -> str | bytes:
        transport = VirtualTransport(clock)

        async def talk(stream: ServerStream) -> None:
            stream.send("one")
            await stream.receive()

        transport.serve("wss://", stream=talk)
        transport.script(Passage(there_ns=0, back_ns=SECOND))
        stream = await transport.connect(WS, timeout_ns=5 * SECOND)
        for _ in range(3):
            wait = asyncio.ensure_future(stream.receive())
            await asyncio.sleep(0)
            wait.cancel()
        return await stream.receive()

    assert run_virtual(main) == "one"


@pytest.mark.parametrize(
    "passage", [Passage(request_lost=True), Passage(answer_lost=True), Passage(back_ns=5 * SECOND)]
)
def test_a_stream_that_does_not_open_in_time_was_not_opened(passage: Passage) -> None:
    async def main(clock: VirtualClock) -> tuple[bool, int]:
        transport = VirtualTransport(clock)
        transport.serve("wss://")
        transport.script(passage)
        error = await caught(transport.connect(WS, timeout_ns=SECOND))
        return error.sent, clock.now_ns()

    assert run_virtual(main) == (False, SECOND)


def test_a_message_that_is_lost_while_it_is_waited_for_is_a_broken_stream() -> None:
    async def main(clock: VirtualClock) -> None:
        pipe = Pipe(clock, 10)
        pipe.put("lost")
        waiting = asyncio.get_running_loop().create_task(pipe.get())
        await clock.sleep_ns(5)
        pipe.cut("connection lost", lose=True)

        with pytest.raises(TransportError, match="connection lost"):
            await waiting

    run_virtual(main)
