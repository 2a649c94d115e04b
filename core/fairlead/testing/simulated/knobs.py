"""Say what a simulated venue is like, and how badly it behaves at the moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from types import MappingProxyType

from fairlead.model import Fees

__all__ = ["Knobs", "VenueSetup"]

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
_DAY = 24 * 3_600 * _SECOND

#: Nanoseconds from and to, both inclusive; drawn evenly.
Span = tuple[int, int]

_BALANCES: Mapping[str, Decimal] = MappingProxyType(
    {"ALT": Decimal(20_000), "USDT": Decimal(40_000)}
)
_FEES = Fees(maker=Decimal("0.0002"), taker=Decimal("0.0005"))


@dataclass(frozen=True, slots=True)
class VenueSetup:
    """What a simulated venue is: one spot market and one account, fixed for its life."""

    name: str = "main"
    balances: Mapping[str, Decimal] = field(default_factory=lambda: _BALANCES)
    fees: Fees = _FEES
    #: Time between two messages of a market made of little; 0 = the full synthetic market, which
    #: sends ten times a second and costs a hundred times as much.
    thin_ns: int = 2 * _SECOND
    #: How often the account's stream proves that it lives.
    heartbeat_ns: int = 5 * _SECOND
    #: Open orders or fills in one page.
    page: int = 100
    #: Orders in one batch.
    batch: int = 20
    #: The weight that the account may ask in any `budget_ns` of time; 0 = any.
    budget: int = 0
    budget_ns: int = 10 * _SECOND

    @property
    def address(self) -> str:
        """Give the host that it answers under, without a scheme."""
        return f"{self.name}.test"


@dataclass(slots=True)
class Knobs:
    """How a venue misbehaves now. Rates are probabilities from 0 to 1; as made, all is well.

    Set any of them at any time. Each kind of chance is drawn from a generator of its own, so one
    knob does not move the draws of another.
    """

    # --- on the way, per request
    #: The connection is refused: nothing left.
    refused: float = 0.0
    request_lost: float = 0.0
    answer_lost: float = 0.0

    # --- at the venue, per request
    #: Takes effect `late_ns` later, unless its deadline has passed by then; one in two of these
    #: is answered with a 504 at once, the others when it is done.
    late: float = 0.0
    late_ns: Span = (1 * _SECOND, 8 * _SECOND)
    #: The answer comes after the news that the request made.
    slow_answer: float = 0.0
    slow_answer_ns: Span = (50 * _MILLISECOND, 900 * _MILLISECOND)
    #: A 5xx without effect, and one with the effect done; nobody can tell them apart.
    error_before: float = 0.0
    error_after: float = 0.0
    #: A 429 that asks for `busy_ns` of patience; without effect.
    busy: float = 0.0
    busy_ns: int = 2 * _SECOND

    # --- per news of the account
    duplicate: float = 0.0
    #: Overtaken by what was sent later.
    reorder: float = 0.0
    reorder_ns: Span = (10 * _MILLISECOND, 600 * _MILLISECOND)
    news_lost: float = 0.0
    #: Balances, sent or asked for, are those of some time ago.
    balance_lag: float = 0.0
    balance_lag_ns: Span = (200 * _MILLISECOND, 3 * _SECOND)

    # --- per market message, print and order
    gap: float = 0.0
    #: A print is cut down to a few lots, so that orders fill in pieces.
    partial: float = 0.0
    #: A live order is not shown to those who ask for it, at first.
    hidden: float = 0.0
    hidden_ns: Span = (50 * _MILLISECOND, 800 * _MILLISECOND)
    #: A fill is not listed for those who ask for fills, at first.
    unlisted: float = 0.0
    unlisted_ns: Span = (50 * _MILLISECOND, 3 * _SECOND)
    #: The venue itself learns late of a fill: until then it tells nothing of it, and a cancel may
    #: be reported without it. Balances know already.
    late_fill: float = 0.0
    late_fill_ns: Span = (100 * _MILLISECOND, 3 * _SECOND)

    # --- policies
    #: A client id need only be unlike those of open orders.
    reuse_ids: bool = False
    #: Whether news of the account bear numbers; at many venues nobody sees that one was lost.
    numbered: bool = True
    #: Whether the dead-man timer is offered.
    dead_man: bool = True
    #: A stream is closed at this age.
    stream_life_ns: int = _DAY
    #: One way, drawn for each request and each stream.
    latency_ns: Span = (5 * _MILLISECOND, 40 * _MILLISECOND)

    @classmethod
    def rates(cls) -> tuple[str, ...]:
        """Name the knobs that are probabilities, in the order above."""
        return tuple(knob.name for knob in fields(cls) if isinstance(knob.default, float))

    def heal(self) -> None:
        """Turn every knob back."""
        well = Knobs()
        for knob in fields(self):
            setattr(self, knob.name, getattr(well, knob.name))
