"""Send twenty orders in batches to a venue that loses, tears and refuses answers by chance.

One trial is one seed. Afterwards every order whose fate is unproven is asked for, as a reader
would, and ours and the venue's books are compared: no order twice, none lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random  # sim-ok: a test's own seeds
from typing import cast

from fairlead.api import BatchLimits, Capabilities, Connector, Place
from fairlead.model import (
    Accepted,
    NotSent,
    OrderIntent,
    OrderState,
    Outcome,
    RejectClass,
    Rejected,
    Side,
    Unknown,
)
from fairlead.pipeline import (
    BreakerPolicy,
    Gateway,
    GatewayNews,
    GatewayTerms,
    Pipeline,
    PipelineParts,
    RiskGate,
)
from fairlead.store import Journal
from fairlead.testing import (
    MARKET,
    MemoryStore,
    ScriptedVenue,
    VirtualClock,
    client_id,
    instrument,
    order_update,
    slot,
)
from fairlead.trackers import AccountTracker, OrderTracker
from tests.fairlead.pipeline.pipeline_world import StillView

__all__ = ["Trial"]

MS = 1_000_000
SECOND = 1_000_000_000
ORDERS = 20
TRADED = instrument()
DEADLINE_NS = 500 * MS
CAPABILITIES = Capabilities(batch=BatchLimits(creates=20, cancels=20), deadline_ns=DEADLINE_NS)
REFUSED = Rejected("NO", RejectClass.OTHER)
#: What may befall a request, and how often.
FATES = {
    "well": 8,
    "lost request": 2,
    "lost answer": 2,
    "late": 2,
    "torn": 4,
    "refused": 3,
    "busy": 1,
    "not sent": 1,
    "raises": 1,
    "short": 1,
}


@dataclass
class Landed:
    """What the venue has, and how often each order arrived there."""

    live: dict[str, OrderIntent]
    arrived: Counter[str]
    refused: Counter[str]
    twice: list[str]


class LossyVenue(ScriptedVenue):
    """A venue whose every request fares as its seed says."""

    def __init__(self, clock: VirtualClock, random: Random) -> None:
        super().__init__(clock, instruments=[TRADED], capabilities=CAPABILITIES)
        self._now = clock
        self._random = random
        self.truth = Landed({}, Counter(), Counter(), [])
        self.fates: Counter[str] = Counter()
        self.requests = 0

    async def submit(self, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:  # type: ignore[explicit-override]  # as the protocol has it
        self.requests += 1
        (fate,) = self._random.choices(list(FATES), list(FATES.values()))
        self.fates[fate] += 1
        for intent in intents:
            self.truth.arrived[intent.client_id] += 1
        await self._now.sleep_ns(self._random.randrange(1, 20) * MS)
        return self._fare(fate, intents)

    def _fare(self, fate: str, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        every = len(intents)
        now_ns = self._now.now_ns()
        without_effect: dict[str, Outcome] = {
            "refused": replace_whole(REFUSED, every > 1),
            "busy": NotSent(now_ns + SECOND, "busy"),
            "not sent": NotSent(0, "no connection"),
            "lost request": Unknown("lost"),
        }
        if fate in without_effect:
            self.truth.refused.update(one.client_id for one in intents if fate == "refused")
            return (without_effect[fate],) * every
        if fate == "late":
            late_ns = now_ns + self._random.randrange(400) * MS
            for intent in intents:
                self._now.call_at_ns(late_ns, landing(self, intent))
            return (Unknown("timeout"),) * every
        if fate in ("torn", "short"):
            return tuple(self._torn(intent) for intent in intents)[fate == "short" :]
        landed = tuple(self.land(intent) for intent in intents)
        if fate == "raises":
            raise ValueError("what is this?")
        return landed if fate == "well" else (Unknown("answer lost"),) * every

    def _torn(self, intent: OrderIntent) -> Outcome:
        fate = self._random.randrange(4)
        if fate == 0:
            return REFUSED
        if fate == 1:
            return Unknown("torn")
        landed = self.land(intent)
        return landed if fate == 2 else Unknown("torn")

    def land(self, intent: OrderIntent) -> Outcome:
        """Let an order take effect."""
        if intent.client_id in self.truth.live:
            self.truth.twice.append(intent.client_id)
        self.truth.live[intent.client_id] = intent
        return Accepted(f"v{intent.client_id}")


def landing(venue: LossyVenue, intent: OrderIntent) -> Callable[[], None]:
    """Give a call that lets an order take effect later."""

    def land() -> None:
        venue.land(intent)

    return land


def replace_whole(outcome: Rejected, whole: bool) -> Rejected:
    """Say that a refusal was one of the whole request."""
    return Rejected(outcome.code, outcome.reason, outcome.detail, whole)


class Trial:
    """Twenty orders of four strategies on one seed."""

    def __init__(self, clock: VirtualClock, seed: int) -> None:
        self._clock = clock
        random = Random(seed)  # noqa: S311 - no secret
        self.venue = LossyVenue(clock, random)
        journal = Journal(MemoryStore(), clock)
        self.orders = OrderTracker(journal)
        accounts = AccountTracker(["main"])
        accounts["main"].begin(self.venue.exchange.balances())
        self.ids = [client_id(number) for number in range(1, ORDERS + 1)]
        names = iter(self.ids)
        self._pipeline = pipeline = Pipeline(
            PipelineParts(
                journal=journal,
                orders=self.orders,
                accounts=accounts,
                gate=RiskGate((), journal),
                instruments={MARKET: TRADED},
                new_id=lambda: next(names),
                now_ns=clock.now_ns,
                mid=lambda market: Decimal(100),
                tick_ns=SECOND,
            )
        )
        self.failures: list[BaseException] = []
        news = GatewayNews(
            created=pipeline.created,
            cancelled=pipeline.cancelled,
            sent=pipeline.sent,
            failed=self.failures.append,
            room=pipeline.dispatch,
        )
        never = replace(BreakerPolicy(), failures=1_000, rejects=1_000)
        self.gateway = Gateway(
            cast(Connector, self.venue), journal, news, clock, GatewayTerms(breaker=never)
        )
        pipeline.connect("main", self.gateway)

    async def run(self) -> list[str]:
        """Place, wait, ask for what is unproven; gives what is wrong."""
        now_ns = self._clock.now_ns()
        view = StillView()
        for number in range(ORDERS):
            place = Place(
                slot=slot(Side.BUY, number, strategy=f"s{number % 4}"),
                side=Side.BUY,
                price=Decimal(99) - Decimal(number) / 10,
                quantity=Decimal("0.1"),
                decided_ns=now_ns,
            )
            self._pipeline.submit([place], view)
        self._pipeline.dispatch(on_tick=True)
        await self.gateway.drain()
        await self._clock.sleep_ns(2 * DEADLINE_NS)
        self._prove()
        return [*self._wrong(), *map(repr, self.failures)]

    def _prove(self) -> None:
        for place, name in enumerate(self.ids, 1):
            order = self.orders.get(name)
            if order is None or order.state is not OrderState.UNKNOWN:
                continue
            if name in self.venue.truth.live:
                self.orders.apply_update(order_update(place), self._clock.now_ns())
            else:
                self.orders.never_landed(name)

    def _wrong(self) -> list[str]:
        truth, wrong = self.venue.truth, []
        wrong += [f"{name} took effect twice" for name in truth.twice]
        for name in self.ids:
            order = self.orders.get(name)
            if order is None:
                wrong.append(f"{name} was never recorded")
                continue
            if order.state.is_closed is (name in truth.live):
                wrong.append(f"{name} is {order.state}, the venue has it: {name in truth.live}")
            if truth.arrived[name] > 1 + truth.refused[name]:
                wrong.append(f"{name} left again although nothing proved that it had no effect")
        return wrong
