import asyncio
from collections.abc import Sequence

import pytest

from fairlead.api import Capabilities
from fairlead.errors import StoreError
from fairlead.model import (
    Accepted,
    CancelRequest,
    NotSent,
    OrderIntent,
    Outcome,
    RejectClass,
    Rejected,
    Unknown,
)
from fairlead.pipeline import BatchPolicy, Gateway, GatewayNews, GatewayTerms
from fairlead.store import Incident, Journal
from fairlead.testing import (
    MARKET,
    SCRIPTED,
    MemoryStore,
    Script,
    ScriptedVenue,
    VirtualClock,
    client_id,
    intent,
    run_virtual,
)

SECOND = 1_000_000_000
MS = 1_000_000


class World:
    def __init__(
        self,
        clock: VirtualClock,
        capabilities: Capabilities | None = None,
        terms: GatewayTerms | None = None,
    ) -> None:
        self.clock = clock
        self.store = MemoryStore()
        self.venue = ScriptedVenue(clock, capabilities=capabilities or SCRIPTED)
        self.created: list[tuple[int, Outcome]] = []
        self.cancelled: list[tuple[int, Outcome]] = []
        self.sent: list[int] = []
        self.failures: list[BaseException] = []
        self.gateway = Gateway(
            self.venue,
            Journal(self.store, clock),
            GatewayNews(
                created=lambda one, outcome: self.created.append((clock.now_ns(), outcome)),
                cancelled=lambda one, outcome: self.cancelled.append((clock.now_ns(), outcome)),
                sent=lambda intents: self.sent.append(clock.now_ns()),
                failed=self.failures.append,
            ),
            clock,
            terms,
        )

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for _, outcome in self.created]


def request(number: int = 1) -> CancelRequest:
    return CancelRequest(client_id(number), MARKET, f"v{number}", "why")


def test_each_order_gets_its_outcome_in_order() -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        world.venue.exchange.create(intent(2))  # so the second is a duplicate
        world.gateway.create([intent(1), intent(2, level=1), intent(3, level=2)], 0)
        await world.gateway.drain()
        return world

    world = run_virtual(main)

    assert [type(outcome) for outcome in world.outcomes] == [Accepted, Rejected, Accepted]
    assert world.created[0][0] == 10 * MS
    assert world.sent == [0]
    assert world.gateway.counts.requests == 1


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (Script(raises=ValueError("oops")), "the connector raised ValueError('oops')"),
        (Script(raises=asyncio.CancelledError()), "the connector called itself off"),
        (Script(raises=TimeoutError()), "no answer in time"),
        (Script(silent=True), "no answer in time"),
        (Script(lands=False), "no answer in time"),
        (Script(outcome=Unknown("503")), "503"),
    ],
)
def test_whatever_goes_wrong_after_the_first_byte_is_unknown(script: Script, cause: str) -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        world.venue.submits.append(script)
        world.venue.cancels.append(script)
        world.gateway.create([intent(1), intent(2, level=1)], 0)
        world.gateway.cancel([request(8), request(9)])
        await world.gateway.drain()
        return world

    world = run_virtual(main)

    assert world.outcomes == [Unknown(cause)] * 2
    assert [outcome for _, outcome in world.cancelled] == [Unknown(cause)] * 2
    assert world.failures == []


@pytest.mark.parametrize("short", [1, 2])
def test_an_answer_that_lacks_outcomes_makes_all_of_it_unknown(short: int) -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        world.venue.submits.append(Script(short=short))
        world.gateway.create([intent(1), intent(2, level=1)], 0)
        await world.gateway.drain()
        return world

    outcomes = run_virtual(main).outcomes

    assert len(outcomes) == 2
    assert all(isinstance(outcome, Unknown) for outcome in outcomes)


class Nonsense(ScriptedVenue):
    """A connector that does not keep to its contract."""

    answer: object = None

    async def submit(self, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:  # type: ignore[explicit-override]  # its very point
        return self.answer  # type: ignore[return-value]  # its very point


@pytest.mark.parametrize("answer", [None, 7, ("fine",), (None,), "x"])
def test_an_answer_that_is_none_makes_the_order_unknown(answer: object) -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        nonsense = Nonsense(clock)
        nonsense.answer = answer
        world.gateway.connector = nonsense
        world.gateway.create([intent(1)], 0)
        await world.gateway.drain()
        return world

    world = run_virtual(main)

    assert len(world.outcomes) == 1
    assert isinstance(world.outcomes[0], Unknown)
    assert world.failures == []


def test_an_answer_is_waited_for_beyond_twice_the_deadline_and_no_longer() -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock, Capabilities(deadline_ns=2 * SECOND))
        world.venue.submits.append(Script(silent=True))
        world.gateway.create([intent(1)], 0)
        await world.gateway.drain()
        return world

    assert run_virtual(main).created == [(5 * SECOND, Unknown("no answer in time"))]


@pytest.mark.parametrize("deadline_ns", [0, 5 * MS])
def test_a_venue_that_answers_after_twice_its_deadline_is_still_heard(deadline_ns: int) -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock, Capabilities(deadline_ns=deadline_ns))
        world.gateway.create([intent(1)], 0)
        await world.gateway.drain()
        return world

    assert run_virtual(main).outcomes == [Accepted("v1")]


def test_a_create_leaves_only_once_its_record_is_durable() -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        world.store.holds = True
        seq = world.store.append(0, _record())
        world.gateway.create([intent(1)], seq)
        world.gateway.cancel([request(9)])
        await clock.sleep_ns(SECOND)
        assert world.venue.submitted == []
        assert len(world.venue.cancelled) == 1  # a cancel never waits for the disk
        world.store.release()
        await world.gateway.drain()
        return world

    world = run_virtual(main)

    assert world.sent == [SECOND]
    assert world.outcomes == [Accepted("v1")]


def test_when_the_store_fails_nothing_is_sent_and_it_is_told() -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        world.store.holds = True
        world.gateway.create([intent(1)], world.store.append(0, _record()))
        await clock.sleep_ns(MS)
        world.store.fail()
        world.gateway.cancel([request(9)])
        await world.gateway.drain()
        return world

    world = run_virtual(main)

    assert world.outcomes == [NotSent(0, "the store failed")]
    assert world.venue.submitted == []
    assert len(world.venue.cancelled) == 1
    assert [type(failure) for failure in world.failures] == [StoreError]


def test_what_is_called_off_on_its_way_is_unknown_and_before_that_not_sent() -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        world.venue.submits.append(Script(silent=True))
        world.gateway.create([intent(1)], 0)
        world.gateway.cancel([request(9)])
        await clock.sleep_ns(MS)
        world.store.holds = True
        world.gateway.create([intent(2)], world.store.append(0, _record()))
        await clock.sleep_ns(MS)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return world

    world = run_virtual(main)

    assert sorted(map(type, world.outcomes), key=lambda kind: kind.__name__) == [NotSent, Unknown]
    assert [type(outcome) for _, outcome in world.cancelled] == [Unknown]
    assert world.venue.exchange.order(client_id(2)) is None


def test_news_that_cannot_be_taken_in_are_a_failure_of_the_core() -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)

        def take(one: object, outcome: Outcome) -> None:
            raise KeyError("ledger")

        world.gateway = Gateway(
            world.venue,
            Journal(world.store, clock),
            GatewayNews(
                take, lambda one, outcome: None, lambda intents: None, world.failures.append
            ),
            clock,
        )
        world.gateway.create([intent(1)], 0)
        await clock.sleep_ns(SECOND)
        return world

    assert [type(failure) for failure in run_virtual(main).failures] == [KeyError]


def test_cancels_go_in_requests_of_the_size_that_the_venue_takes() -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock, terms=GatewayTerms(BatchPolicy(100)))
        world.gateway.cancel([request(number) for number in range(1, 46)])
        await world.gateway.drain()
        return world

    world = run_virtual(main)

    assert [len(requests) for _, requests in world.venue.cancelled] == [20, 20, 5]
    assert len(world.cancelled) == 45


def test_requests_in_flight_take_room() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        world = World(clock)
        rooms = [world.gateway.room]
        world.gateway.create([intent(1)], 0)
        world.gateway.cancel([request(9)])
        rooms.append(world.gateway.room)
        await world.gateway.drain()
        return [*rooms, world.gateway.room]

    assert run_virtual(main) == [64, 62, 64]


def test_draining_does_not_wait_for_ever_for_a_disk() -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        world.store.holds = True
        world.gateway.create([intent(1)], world.store.append(0, _record()))
        await world.gateway.drain()
        return world

    world = run_virtual(main)

    assert world.outcomes == [NotSent(0, "called off before it left")]
    assert world.venue.submitted == []


def test_draining_an_idle_gateway_is_no_wait() -> None:
    async def main(clock: VirtualClock) -> int:
        await World(clock).gateway.drain()
        return clock.now_ns()

    assert run_virtual(main) == 0


def test_a_reject_keeps_its_class() -> None:
    async def main(clock: VirtualClock) -> World:
        world = World(clock)
        world.venue.submits.append(
            Script(outcome=Rejected("-2010", RejectClass.BALANCE), lands=False)
        )
        world.gateway.create([intent(1)], 0)
        await world.gateway.drain()
        return world

    assert run_virtual(main).outcomes == [Rejected("-2010", RejectClass.BALANCE)]


def _record() -> Incident:
    return Incident(name="x", detail="")
