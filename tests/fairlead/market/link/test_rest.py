from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fairlead.api import Request, Response
from fairlead.market import Meaning, OutcomeRule, OutcomeTable, RestLink
from fairlead.model import (
    Accepted,
    NotSent,
    Outcome,
    RejectClass,
    Rejected,
    Unavailable,
    Unknown,
)
from fairlead.testing import Passage, VirtualClock, VirtualTransport, run_virtual

_SECOND = 1_000_000_000
_URL = "https://venue.test/orders"
_TABLE = OutcomeTable(
    (
        OutcomeRule(Meaning.TURNED_AWAY, status=429),
        OutcomeRule(Meaning.TURNED_AWAY, status=418),
        OutcomeRule(Meaning.REFUSED, RejectClass.PRICE, code="PRICE"),
    )
)


class World:
    """A venue that answers what it is told to, and a link to it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.answer = Response(200, {}, b"ok")
        self.transport = VirtualTransport(clock)
        self.server = self.transport.serve("https://venue.test/", lambda request: self.answer)
        self.link = RestLink(_TABLE, self._complaint, transport=self.transport, clock=clock)

    @staticmethod
    def _complaint(response: Response) -> tuple[str, str]:
        return response.body.decode(), "sorry"

    async def act(self, *, urgent: bool = False, count: int = 2) -> tuple[Outcome, ...]:
        request = Request("POST", _URL)
        return await self.link.act(request, count, _read, urgent=urgent, timeout_ns=3 * _SECOND)

    async def query(self) -> str | Unavailable:
        return await self.link.query(Request("GET", _URL), _read_text)


def _read(body: bytes) -> tuple[Outcome, ...]:
    if body != b"ok":
        raise ValueError("no json")
    return (Accepted("1"), Accepted("2"))


def _read_text(body: bytes) -> str:
    if body == b"garbage":
        raise ValueError("no json")
    return body.decode()


def in_world(story: Callable[[World], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        await story(World(clock))

    run_virtual(main)


@pytest.mark.parametrize(
    ("answer", "outcomes"),
    [
        (Response(200, {}, b"ok"), (Accepted("1"), Accepted("2"))),
        (Response(200, {}, b"gar"), (Unknown("cannot be read: no json"),) * 2),
        (
            Response(400, {}, b"PRICE"),
            (Rejected("PRICE", RejectClass.PRICE, "sorry", whole=True),) * 2,
        ),
        (Response(500, {}, b""), (Unknown("500  sorry"),) * 2),
    ],
    ids=["taken", "unreadable", "refused", "error"],
)
def test_every_answer_gives_one_outcome_for_each_item(
    answer: Response, outcomes: tuple[Outcome, ...]
) -> None:
    async def story(world: World) -> None:
        world.answer = answer

        assert await world.act() == outcomes

    in_world(story)


def test_a_wrong_number_of_outcomes_proves_nothing() -> None:
    async def story(world: World) -> None:
        assert await world.act(count=3) == (Unknown("2 outcomes for 3 requests"),) * 3

    in_world(story)


@pytest.mark.parametrize(
    ("passage", "kind"),
    [
        (Passage(refused=True), NotSent),
        (Passage(request_lost=True), Unknown),
        (Passage(answer_lost=True), Unknown),
        (Passage(back_ns=60 * _SECOND), Unknown),
    ],
    ids=["refused", "request lost", "answer lost", "too slow"],
)
def test_only_what_certainly_never_left_is_not_sent(passage: Passage, kind: type[Outcome]) -> None:
    async def story(world: World) -> None:
        world.transport.script(passage)

        outcomes = await world.act()

        assert [type(outcome) for outcome in outcomes] == [kind, kind]
        assert world.clock.now_ns() <= 3 * _SECOND

    in_world(story)


def test_a_busy_venue_is_left_alone_until_it_wants_to_be_asked_but_cancels_pass() -> None:
    async def story(world: World) -> None:
        world.answer = Response(429, {"Retry-After": "5"}, b"BUSY")
        first = await world.act()
        asked = len(world.server.requests)

        held = await world.act()
        queried = await world.query()
        cancelled = await world.act(urgent=True)

        assert first == (NotSent(5 * _SECOND + 20_000_000, "429 BUSY sorry"),) * 2
        assert held == (NotSent(5 * _SECOND + 20_000_000, "the venue asked for patience"),) * 2
        assert isinstance(queried, Unavailable)
        assert [type(one) for one in cancelled] == [NotSent, NotSent]
        assert len(world.server.requests) == asked + 1
        await world.clock.sleep_ns(5 * _SECOND)
        world.answer = Response(200, {}, b"ok")
        assert await world.act() == (Accepted("1"), Accepted("2"))

    in_world(story)


def test_after_a_ban_nothing_leaves_not_even_a_cancel() -> None:
    async def story(world: World) -> None:
        world.answer = Response(418, {"Retry-After": "120"}, b"BANNED")
        await world.act()
        asked = len(world.server.requests)

        outcomes = await world.act(urgent=True)

        assert (
            outcomes == (NotSent(120 * _SECOND + 20_000_000, "the venue asked for patience"),) * 2
        )
        assert len(world.server.requests) == asked
        assert world.link.held_until_ns(urgent=True) == 120 * _SECOND + 20_000_000
        await world.clock.sleep_ns(121 * _SECOND)
        assert world.link.held_until_ns(urgent=True) == 0

    in_world(story)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (Response(200, {}, b"text"), "text"),
        (Response(200, {}, b"garbage"), Unavailable("cannot be read: no json")),
        (Response(503, {}, b"X"), Unavailable("503 X sorry")),
    ],
)
def test_a_query_gives_a_value_or_says_that_there_is_none(
    answer: Response, value: str | Unavailable
) -> None:
    async def story(world: World) -> None:
        world.answer = answer

        assert await world.query() == value

    in_world(story)


def test_a_query_without_an_answer_is_unavailable() -> None:
    async def story(world: World) -> None:
        world.transport.script(Passage(answer_lost=True))

        assert await world.query() == Unavailable("no answer: TimeoutError")

    in_world(story)


def test_what_is_missing_is_told_from_what_failed_by_its_code() -> None:
    async def story(world: World) -> None:
        known = {"NO_ORDER": "none"}.__getitem__
        world.answer = Response(404, {}, b"NO_ORDER")
        there = await world.link.query(Request("GET", _URL), _read_text, missing=known)
        world.answer = Response(404, {}, b"NO_PATH")
        failed = await world.link.query(Request("GET", _URL), _read_text, missing=known)

        assert there == "none"
        assert failed == Unavailable("404 NO_PATH sorry")

    in_world(story)


def test_calling_a_request_off_does_not_undo_it() -> None:
    async def story(world: World) -> None:
        task = asyncio.get_running_loop().create_task(world.act())
        await world.clock.sleep_ns(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await world.clock.sleep_ns(_SECOND)

        assert len(world.server.requests) == 1

    in_world(story)
