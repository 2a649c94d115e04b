"""Define what a risk rule is: how it restrains the account, and how it judges one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from fairlead.api.risk_view import RiskView
from fairlead.model import Fill, MarketId, OrderIntent, Outcome, Purpose, Side, Slot

if TYPE_CHECKING:
    from fairlead.api.plan_executor import Leg

__all__ = [
    "Admitting",
    "Allowed",
    "Answered",
    "Denied",
    "FillSeen",
    "Gauge",
    "Gauging",
    "MarkoutSeen",
    "Observing",
    "Posture",
    "PostureLevel",
    "Relief",
    "Remembering",
    "RiskNews",
    "RiskRule",
    "RuleContext",
    "TradeClosed",
    "Verdict",
]


class PostureLevel(StrEnum):
    """How far trading is restrained; later ones are stricter and the strictest wins."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    CANCEL_ONLY = "CANCEL_ONLY"
    HALTED = "HALTED"

    @property
    def rank(self) -> int:
        """Give 0 for ACTIVE up to 3 for HALTED."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(PostureLevel)}


class Relief(msgspec.Struct, frozen=True, gc=False):
    """Take from a position at once, by orders that take at a bounded price."""

    #: How far from the mid of the begin no order is priced, as a share of it.
    bound: Decimal
    #: Base units or contracts; None = all that lies between the position and its target.
    quantity: Decimal | None = None
    #: No single order is larger than this share of the depth within ``depth_within`` of the mid;
    #: None = no such limit.
    slice_share: Decimal | None = None
    depth_within: Decimal = Decimal("0.001")


class Posture(msgspec.Struct, frozen=True, gc=False):
    """A rule's restraint. ``market`` None = the whole account.

    ACTIVE without a factor or a paused side is a warning: it restrains nothing and is shown.
    """

    level: PostureLevel = PostureLevel.ACTIVE
    rule: str = ""
    reason: str = ""
    market: MarketId | None = None
    spread_factor: Decimal = Decimal(1)
    #: Sides of which nothing new is quoted or entered; hedges and exits pass.
    paused: tuple[Side, ...] = ()
    #: What to do besides restraining.
    relief: Relief | None = None


class Allowed(msgspec.Struct, frozen=True, gc=False):
    """The rule has nothing against the order."""


class Denied(msgspec.Struct, frozen=True, gc=False):
    """The rule refuses the order: which rule, what it saw, what it allows."""

    rule: str
    observed: Decimal | str
    limit: Decimal | str
    detail: str = ""
    #: Own orders that stand in the way of a hedge or an exit: they are cancelled for it.
    in_the_way: tuple[str, ...] = ()


Verdict = Allowed | Denied


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a rule's builder gets besides its own configuration."""

    currency: str


class RiskRule(Protocol):
    """One rule. A rule that raises denies (check) or gives CANCEL_ONLY (assess).

    After a failed `assess`, or `Observing.observe`, orders may only reduce until a person has
    looked: what the rule missed does not come again.
    """

    @property
    def name(self) -> str:
        """Name the rule as in the configuration."""

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Judge the account and each market on a tick; empty = nothing against trading."""

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Judge one order; never waits, never logs, never changes anything."""


# What a rule may do besides: hear news, keep something over a restart, show how far off it is.


class FillSeen(msgspec.Struct, frozen=True, gc=False):
    """An own fill was booked. ``value`` in the engine's currency; None = no mark path."""

    fill: Fill
    slot: Slot
    purpose: Purpose
    value: Decimal | None


class TradeClosed(msgspec.Struct, frozen=True, gc=False):
    """A final order had brought a position closer to its target; ``result`` after fees.

    Realised at average cost less its share of entry and exit fees, in the engine's currency.
    """

    strategy: str
    market: MarketId
    result: Decimal


class MarkoutSeen(msgspec.Struct, frozen=True, gc=False):
    """Ten seconds have passed since a fill: the market's move in our favour, in bps."""

    strategy: str
    market: MarketId
    side: Side
    bps: float
    notional: float


class Answered(msgspec.Struct, frozen=True, gc=False):
    """A venue answered to a create, or failed to."""

    market: MarketId
    purpose: Purpose
    outcome: Outcome


RiskNews = FillSeen | TradeClosed | MarkoutSeen | Answered


@runtime_checkable
class Observing(Protocol):
    """A rule that hears what happens between ticks."""

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        """Take news in; True = its posture changed, ask `RiskRule.assess` at once."""


@runtime_checkable
class Remembering(Protocol):
    """A rule with something that must survive a restart; it is stored when it changes."""

    @property
    def memory(self) -> msgspec.Struct:
        """Give it; a new object whenever it changed."""

    def recall(self, text: str) -> None:
        """Take up what was stored last, as JSON, before the first assessment.

        :raises msgspec.ValidationError: when it is of another version.
        """


@runtime_checkable
class Admitting(Protocol):
    """A rule that judges a plan whole, so that none begins that it would stop half-way."""

    def admit(self, legs: Sequence[Leg], view: RiskView) -> Verdict:
        """Judge all that a plan may trade at most; its orders are checked one by one, too."""


class Gauge(msgspec.Struct, frozen=True, gc=False):
    """How far a rule is from firing, for people: what is, what may be, and the share used."""

    #: What is measured, in a word or two; "" where the rule has but one measure.
    name: str
    now: str
    limit: str
    #: 1 = at the limit, above 1 = beyond; None = unavailable.
    used: float | None = None
    market: str = ""


@runtime_checkable
class Gauging(Protocol):
    """A rule that can tell how far it is from firing."""

    def gauge(self, view: RiskView) -> tuple[Gauge, ...]:
        """Measure; looks only."""
