"""Define what a risk rule is: how it restrains the account, and how it judges one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from fairlead.api.view import OrderView
from fairlead.model import Instrument, MarketId, OrderIntent

__all__ = [
    "Allowed",
    "Denied",
    "MarketRisk",
    "Posture",
    "PostureLevel",
    "RiskRule",
    "RiskView",
    "RuleContext",
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
        return list(PostureLevel).index(self)


class Posture(msgspec.Struct, frozen=True, gc=False):
    """A rule's restraint. ``market`` None = the whole account."""

    level: PostureLevel = PostureLevel.ACTIVE
    rule: str = ""
    reason: str = ""
    market: MarketId | None = None
    spread_factor: Decimal = Decimal(1)


class Allowed(msgspec.Struct, frozen=True, gc=False):
    """The rule has nothing against the order."""


class Denied(msgspec.Struct, frozen=True, gc=False):
    """The rule refuses the order: which rule, what it saw, what it allows."""

    rule: str
    observed: Decimal | str
    limit: Decimal | str
    detail: str = ""


Verdict = Allowed | Denied


@dataclass(frozen=True, slots=True)
class MarketRisk:
    """One market as risk sees it at an instant; None is *unavailable*, never zero."""

    instrument: Instrument
    #: Mid of the valid book now; None while there is none.
    mid: Decimal | None
    #: Last valid mark, and how old it is.
    mark: Decimal | None
    book_valid: bool
    #: Since when the book has been valid without a break, and when it last changed.
    valid_since_ns: int | None
    book_changed_ns: int | None
    position: Decimal
    target: Decimal
    #: Every order of ours that may still fill, of all strategies: unproven ones included, and
    #: those that were allowed in this dispatch but are not yet sent.
    orders: tuple[OrderView, ...]

    @property
    def gap(self) -> Decimal:
        """Give position - target, in base units or contracts."""
        return self.position - self.target


class RiskView(Protocol):
    """The account at an instant, in the engine's currency."""

    @property
    def now_ns(self) -> int:
        """Give kernel time."""

    @property
    def currency(self) -> str:
        """Name the currency of every figure here."""

    @property
    def equity(self) -> Decimal | None:
        """Give the account's equity; None = unavailable."""

    @property
    def peak_equity(self) -> Decimal | None:
        """Give the highest equity, transfers taken out."""

    @property
    def day_start_equity(self) -> Decimal | None:
        """Give the equity at the start of the trading day, or of the run when later."""

    def market(self, market: MarketId) -> MarketRisk:
        """Show one market that a strategy trades."""

    def markets(self) -> Sequence[MarketId]:
        """Name the markets that strategies trade, in the configuration's order."""

    def rate(self, asset: str) -> Decimal | None:
        """Give the engine's currency per unit of ``asset``; None = no mark path."""


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a rule's builder gets besides its own configuration."""

    currency: str


class RiskRule(Protocol):
    """One rule. A rule that raises denies (check) or gives CANCEL_ONLY (assess)."""

    @property
    def name(self) -> str:
        """Name the rule as in the configuration."""

    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        """Judge the account and each market on a tick; empty = nothing against trading."""

    def check(self, intent: OrderIntent, view: RiskView) -> Verdict:
        """Judge one order; never waits, never logs, never changes anything."""
