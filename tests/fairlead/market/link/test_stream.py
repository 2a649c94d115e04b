from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from fairlead.api import Stream, TransportError
from fairlead.errors import FeedError
from fairlead.market import LinkPolicy, LinkState, LinkStatus, ReconnectingStream
from fairlead.testing import (
    Passage,
    SeededIds,
    ServerStream,
    VirtualClock,
    VirtualTransport,
    run_virtual,
)

_SECOND = 1_000_000_000
_URL = "wss://venue.test/stream"
_POLICY = LinkPolicy(silence_ns=5 * _SECOND)


@dataclass
class Listener:
    """Takes numbers for content; everything else proves nothing."""

    got: list[int] = field(default_factory=list)
    states: list[LinkState] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    subscriptions: int = 0
    fails: Exception | None = None
    waits_for_answer: bool = False

    async def subscribe(self, stream: Stream) -> None:
        self.subscriptions += 1
        await stream.send("subscribe")
        if self.waits_for_answer:
            await stream.receive()

    def message(self, message: str | bytes) -> bool:
        if message == "garbage":
            raise FeedError("venue", "garbage")
        if self.fails is not None:
            raise self.fails
        text = str(message)
        if not text.isdigit():
            self.other.append(text)
            return False
        self.got.append(int(text))
        return True

    def changed(self, state: LinkState) -> None:
        self.states.append(state)

    @property
    def statuses(self) -> list[LinkStatus]:
        return [state.status for state in self.states]


class Counting:
    """Counts up once a second for everyone who listens; each connection begins with the present."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.open: list[ServerStream] = []
        self.opened: list[int] = []
        self.most_open = 0
        self.mute: list[ServerStream] = []
        self.heard: list[str] = []
        self.count = 0

    async def attend(self, stream: ServerStream) -> None:
        self.open.append(stream)
        self.opened.append(self._clock.now_ns())
        self.most_open = max(self.most_open, len(self.open))
        try:
            while True:
                message = str(await stream.receive())
                self.heard.append(message)
                if message == "ping":
                    stream.send("pong")
        finally:
            self.open.remove(stream)

    async def run(self) -> None:
        while True:
            await self._clock.sleep_ns(_SECOND)
            self.count += 1
            for stream in tuple(self.open):
                if stream not in self.mute:
                    with suppress(TransportError):  # cut at this instant
                        stream.send(str(self.count))


@dataclass
class World:
    clock: VirtualClock
    transport: VirtualTransport
    server: Counting
    listener: Listener
    link: ReconnectingStream

    async def pass_s(self, seconds: float) -> None:
        await self.clock.sleep_ns(int(seconds * _SECOND))


def in_world(
    story: Callable[[World], Awaitable[None]],
    policy: LinkPolicy = _POLICY,
    seed: int = 1,
    first: tuple[Passage, ...] = (),
) -> World:
    """Run a story beside a link that is kept up, and stop the link after it."""
    worlds: list[World] = []

    async def main(clock: VirtualClock) -> None:
        transport = VirtualTransport(clock)
        transport.script(*first)
        server, listener = Counting(clock), Listener()
        transport.serve("wss://venue.test/", stream=server.attend)
        link = ReconnectingStream(
            lambda: _URL,
            listener,
            policy,
            transport=transport,
            clock=clock,
            ids=SeededIds(seed),
            name="test",
        )
        world = World(clock, transport, server, listener, link)
        worlds.append(world)
        loop = asyncio.get_running_loop()
        counting, running = loop.create_task(server.run()), loop.create_task(link.run())
        telling = loop.create_task(_await(story(world)))
        try:
            await asyncio.wait([telling, running], return_when=asyncio.FIRST_COMPLETED)
            if not telling.done():
                telling.cancel()
                running.result()
            telling.result()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await world.pass_s(1)
            counting.cancel()
            assert server.open == []
            assert transport.failures == []

    run_virtual(main)
    return worlds[0]


async def _await(story: Awaitable[None]) -> None:
    await story


def test_a_link_is_up_once_content_has_come() -> None:
    async def story(world: World) -> None:
        await world.pass_s(0.9)
        before = list(world.listener.states)
        await world.pass_s(3)

        assert before == []
        assert world.listener.statuses == [LinkStatus.UP]
        assert world.listener.got == [1, 2, 3]
        assert world.link.up

    in_world(story)


def test_a_cut_stream_is_opened_and_subscribed_again_within_a_second() -> None:
    async def story(world: World) -> None:
        await world.pass_s(3.5)
        world.server.open[0].cut("gone")
        await world.pass_s(5)

        assert world.listener.statuses == [LinkStatus.UP, LinkStatus.DOWN, LinkStatus.UP]
        assert "gone" in world.listener.states[1].detail
        assert world.listener.subscriptions == 2
        assert world.listener.got[:5] == [1, 2, 3, 4, 5]

    in_world(story)


def test_a_mute_stream_that_answers_pings_is_dead_at_its_deadline() -> None:
    async def story(world: World) -> None:
        await world.pass_s(3.5)
        world.server.mute.append(world.server.open[0])
        await world.pass_s(4.2)
        early = list(world.listener.statuses)
        await world.pass_s(4)

        assert early == [LinkStatus.UP]
        assert world.listener.other.count("pong") >= 3
        assert world.listener.statuses == [LinkStatus.UP, LinkStatus.DOWN, LinkStatus.UP]
        assert world.listener.states[1].detail == "no content for 5 s"
        assert world.listener.states[1].at_ns < 8.2 * _SECOND

    in_world(story, replace(_POLICY, ping="ping", ping_every_ns=_SECOND))


def test_a_stream_is_renewed_in_time_and_nothing_is_missed() -> None:
    async def story(world: World) -> None:
        await world.pass_s(100)

        assert world.listener.statuses[0] is LinkStatus.UP
        assert set(world.listener.statuses[1:]) == {LinkStatus.RENEWED}
        assert len(world.listener.statuses) >= 5
        assert sorted(set(world.listener.got)) == list(range(1, max(world.listener.got) + 1))
        assert world.server.most_open == 2

    in_world(story, replace(_POLICY, life_ns=20 * _SECOND))


def test_when_the_old_one_breaks_during_the_overlap_the_new_one_goes_on_without_a_loss() -> None:
    async def story(world: World) -> None:
        await world.pass_s(22.6)
        assert len(world.server.open) == 2
        world.server.open[0].cut("24 h")
        await world.pass_s(5)

        assert world.listener.statuses == [LinkStatus.UP, LinkStatus.RENEWED]
        assert sorted(set(world.listener.got)) == list(range(1, max(world.listener.got) + 1))

    in_world(story, replace(_POLICY, life_ns=20 * _SECOND, overlap_ns=6 * _SECOND))


def test_when_the_new_one_has_said_nothing_yet_a_break_of_the_old_one_is_a_loss() -> None:
    async def story(world: World) -> None:
        await world.pass_s(19.9)
        original = world.server.attend

        async def silent(stream: ServerStream) -> None:
            world.server.mute.append(stream)
            await original(stream)

        world.transport.serve("wss://venue.test/", stream=silent)
        await world.pass_s(3)
        world.server.open[0].cut("24 h")
        await world.pass_s(0.1)

        assert world.listener.statuses == [LinkStatus.UP, LinkStatus.DOWN]

    in_world(story, replace(_POLICY, life_ns=20 * _SECOND, overlap_ns=6 * _SECOND))


def test_a_renewal_that_fails_leaves_the_old_stream_alone_and_is_tried_again() -> None:
    async def story(world: World) -> None:
        await world.pass_s(19)
        world.transport.script(Passage(refused=True))
        await world.pass_s(20)

        assert world.listener.statuses == [LinkStatus.UP, LinkStatus.RENEWED]
        assert world.listener.states[1].at_ns > 25 * _SECOND

    in_world(story, replace(_POLICY, life_ns=20 * _SECOND, backoff_most_ns=8 * _SECOND))


def test_a_new_stream_that_sends_garbage_does_not_take_over() -> None:
    async def story(world: World) -> None:
        await world.pass_s(21)
        world.server.open[1].send("garbage")
        await world.pass_s(4)

        assert world.listener.statuses == [LinkStatus.UP]
        assert len(world.server.open) == 1

    in_world(story, replace(_POLICY, life_ns=20 * _SECOND))


def test_what_cannot_be_read_makes_it_reconnect() -> None:
    async def story(world: World) -> None:
        await world.pass_s(2.5)
        world.server.open[0].send("garbage")
        await world.pass_s(4)

        assert world.listener.statuses == [LinkStatus.UP, LinkStatus.DOWN, LinkStatus.UP]
        assert "garbage" in world.listener.states[1].detail

    in_world(story)


def test_a_failure_of_the_users_own_code_ends_the_link() -> None:
    async def story(world: World) -> None:
        await world.pass_s(1.5)
        world.listener.fails = ZeroDivisionError("a bug")
        await world.pass_s(60)

    with pytest.raises(ZeroDivisionError):
        in_world(story)


def test_a_venue_that_is_away_is_asked_ever_more_rarely() -> None:
    async def story(world: World) -> None:
        await world.pass_s(2.5)
        world.transport.script(*[Passage(refused=True)] * 500)
        world.server.open[0].cut("away")
        await world.pass_s(60)
        first_minute = world.link.connects
        await world.pass_s(600)

        assert 4 <= first_minute <= 31
        assert world.link.connects - first_minute <= 10 * 30
        assert world.listener.statuses == [LinkStatus.UP, LinkStatus.DOWN]

    in_world(story)


def test_a_budget_bounds_the_connections_of_any_minute() -> None:
    async def story(world: World) -> None:
        await world.pass_s(2.5)
        world.transport.script(*[Passage(refused=True)] * 500)
        world.server.open[0].cut("away")
        await world.pass_s(56)

        assert world.link.connects == 3

    in_world(story, replace(_POLICY, connects_per_minute=3, backoff_most_ns=_SECOND))


def test_a_first_connection_that_fails_is_said_once() -> None:
    async def story(world: World) -> None:
        await world.pass_s(10)

        assert world.listener.statuses == [LinkStatus.DOWN, LinkStatus.UP]

    in_world(story, first=(Passage(refused=True),) * 3)


def test_a_subscription_that_is_not_answered_counts_as_no_connection() -> None:
    async def story(world: World) -> None:
        world.listener.waits_for_answer = True
        world.server.mute = world.server.open
        await world.pass_s(5.5)

        assert world.listener.statuses == [LinkStatus.DOWN]
        assert world.listener.states[0].detail == "the subscription was not answered"

    in_world(story)


def test_a_restart_opens_the_stream_anew() -> None:
    async def story(world: World) -> None:
        await world.pass_s(2.5)
        world.link.restart("it is mute")
        await world.pass_s(3)

        assert world.listener.statuses == [LinkStatus.UP, LinkStatus.DOWN, LinkStatus.UP]
        assert world.listener.states[1].detail == "it is mute"

    in_world(story)


@pytest.mark.parametrize("at_s", [0.005, 0.5, 20.01, 21.0, 22.5], ids=str)
def test_cancelling_closes_everything_whenever_it_comes(at_s: float) -> None:
    async def story(world: World) -> None:
        await world.pass_s(at_s)

    in_world(story, replace(_POLICY, life_ns=20 * _SECOND))  # the world asserts that none is open


def test_the_same_seed_reconnects_at_the_same_instants() -> None:
    async def story(world: World) -> None:
        for _ in range(10):
            await world.pass_s(4)
            if world.server.open:
                world.server.open[0].cut("gone")

    runs = [in_world(story, seed=seed).server.opened for seed in (1, 1, 2)]

    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_client_that_gives_up_leaves_no_stream_half_open() -> None:
    async def main(clock: VirtualClock) -> None:
        transport, server = VirtualTransport(clock), Counting(clock)
        transport.serve("wss://venue.test/", stream=server.attend)
        transport.script(Passage(answer_lost=True))

        with pytest.raises(TransportError):
            await transport.connect(_URL, timeout_ns=_SECOND)
        await clock.sleep_ns(_SECOND)

        assert len(server.opened) == 1
        assert server.open == []

    run_virtual(main)
