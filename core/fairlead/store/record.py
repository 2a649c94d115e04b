"""Write down what happened: every record that the core journals, as append-only facts.

A record is written once and never changed. ``kind`` names it in the journal and in traces,
``stored`` says whether it goes to the database or to the trace alone. Records carry client
order ids in full; a trace shows their short form, so that two runs of one seed are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

import msgspec

from fairlead.api import ExecutionResult, Gate, Record
from fairlead.model import (
    Liquidity,
    OrderState,
    OrderTrigger,
    Purpose,
    Reason,
    Side,
    TimeInForce,
)
from fairlead.store.record_risk import RISK_RECORDS

__all__ = [
    "RECORDS",
    "AdmittedLeg",
    "AlertRaised",
    "CancelAsked",
    "ControlAsked",
    "DecisionMade",
    "ExecutionEnded",
    "ExecutionStarted",
    "ExecutionStepped",
    "FillBooked",
    "Incident",
    "IntentDenied",
    "MarkoutKnown",
    "OrderMoved",
    "OrderRecorded",
    "PostureChanged",
    "QuotesSampled",
    "Reconciled",
    "RunEnded",
    "RunStarted",
    "StrategyChanged",
    "TickPassed",
]


class RunStarted(Record, frozen=True, gc=False):
    """A run began: what it is and with which configuration."""

    kind: ClassVar[str] = "run_started"
    stored: ClassVar[bool] = True

    instance: str
    mode: str
    seed: int | None
    config_hash: str
    currency: str


class RunEnded(Record, frozen=True, gc=False):
    """A run ended, and how; ``proven`` = no order of ours was left, seen twice."""

    kind: ClassVar[str] = "run_ended"
    stored: ClassVar[bool] = True

    reason: str
    proven: bool


class TickPassed(Record, frozen=True, gc=False):
    """A tick ran. ``messages`` and ``digest`` stand for all market data up to it."""

    kind: ClassVar[str] = "tick"
    stored: ClassVar[bool] = False

    number: int
    skipped: int
    messages: int
    digest: str


class DecisionMade(Record, frozen=True, gc=False):
    """A strategy's decision that differs from its last: its gates, target and quote count."""

    kind: ClassVar[str] = "decision"
    stored: ClassVar[bool] = True

    strategy: str
    market: str
    quotes: int
    gates: tuple[Gate, ...]
    target: Decimal | None


class OrderRecorded(Record, frozen=True, gc=False):
    """An intent was recorded; from here on it may have been sent."""

    kind: ClassVar[str] = "order"
    stored: ClassVar[bool] = True

    order: str
    strategy: str
    market: str
    side: Side
    level: int
    price: Decimal
    quantity: Decimal
    time_in_force: TimeInForce
    post_only: bool
    reduce_only: bool
    purpose: Purpose
    decided_ns: int
    reference: Decimal | None
    mid: Decimal | None
    reasons: tuple[Reason, ...]
    #: The execution that the order works for; "" = it is a quote, or a person's exit.
    execution: str = ""


class OrderMoved(Record, frozen=True, gc=False):
    """An order went from one state to another. ``filled`` is cumulative."""

    kind: ClassVar[str] = "transition"
    stored: ClassVar[bool] = True

    order: str
    before: OrderState
    trigger: OrderTrigger
    after: OrderState
    filled: Decimal
    detail: str = ""


class CancelAsked(Record, frozen=True, gc=False):
    """A cancel is about to be sent; never waits for the disk."""

    kind: ClassVar[str] = "cancel"
    stored: ClassVar[bool] = True

    order: str
    reason: str


class FillBooked(Record, frozen=True, gc=False):
    """A fill was booked once. ``mark`` is the one in force before it, ``spread`` in quote."""

    kind: ClassVar[str] = "fill"
    stored: ClassVar[bool] = True

    trade: str
    order: str
    strategy: str
    market: str
    side: Side
    level: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    venue_ns: int
    mark: Decimal | None
    reference: Decimal | None
    spread: Decimal | None


class MarkoutKnown(Record, frozen=True, gc=False):
    """The markouts of one fill in bps by horizon; a horizon without a valid mid is None."""

    kind: ClassVar[str] = "markout"
    stored: ClassVar[bool] = False

    trade: str
    strategy: str
    side: Side
    level: int
    notional: Decimal
    bps: dict[str, float | None]


class IntentDenied(Record, frozen=True, gc=False):
    """The engine refused a wish before it became an order: stage, rule and figures."""

    kind: ClassVar[str] = "denied"
    stored: ClassVar[bool] = True

    strategy: str
    market: str
    side: Side
    level: int
    price: Decimal
    quantity: Decimal
    stage: str
    rule: str
    observed: str
    limit: str
    reasons: tuple[Reason, ...]


class PostureChanged(Record, frozen=True, gc=False):
    """Risk restrains trading otherwise than before; ``market`` "" = the whole account."""

    kind: ClassVar[str] = "posture"
    stored: ClassVar[bool] = True

    market: str
    level: str
    rule: str
    reason: str


class QuotesSampled(Record, frozen=True, gc=False):
    """Where a strategy stands at the end of a tick, for plots; None = unavailable.

    ``bid`` to ``far_bid`` and ``ask`` to ``far_ask`` are our own innermost and outermost quotes.
    """

    kind: ClassVar[str] = "sample"
    stored: ClassVar[bool] = False

    strategy: str
    mid: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    position: Decimal
    target: Decimal
    equity: Decimal | None
    spread: Decimal
    inventory: Decimal
    holding: Decimal
    fees: Decimal
    funding: Decimal
    total: Decimal
    far_bid: Decimal | None = None
    far_ask: Decimal | None = None


class Reconciled(Record, frozen=True, gc=False):
    """Our books were compared with the venue's; ``differences`` is empty when they agree."""

    kind: ClassVar[str] = "reconciled"
    stored: ClassVar[bool] = True

    venue: str
    open_orders: int
    balances: dict[str, Decimal]
    differences: tuple[str, ...]


class AdmittedLeg(msgspec.Struct, frozen=True, gc=False):
    """One leg as it was admitted; ``mid`` is that of the decision, None = no valid book."""

    market: str
    side: Side
    quantity: Decimal
    bound: Decimal
    expected: Decimal | None
    mid: Decimal | None


class ExecutionStarted(Record, frozen=True, gc=False):
    """A plan was admitted and begins; ``plan`` and the executor's first ``state`` are JSON."""

    kind: ClassVar[str] = "execution_started"
    stored: ClassVar[bool] = True

    execution: str
    name: str
    strategy: str
    executor: str
    plan: str
    legs: tuple[AdmittedLeg, ...]
    loss_cap: Decimal | None
    state: str


class ExecutionStepped(Record, frozen=True, gc=False):
    """A plan's executor took a step; written before what the step asks for is done.

    ``state`` is JSON. ``end`` is not "" once the executor has ended and only its last orders are
    waited for.
    """

    kind: ClassVar[str] = "execution_stepped"
    stored: ClassVar[bool] = True

    execution: str
    state: str
    end: str = ""


class ExecutionEnded(Record, frozen=True, gc=False):
    """A plan is over: none of its orders can fill any more. ``market`` is its first leg's.

    ``slippage_bps`` is notional-weighted over the legs, positive = worse; null = unknown.
    """

    kind: ClassVar[str] = "execution_ended"
    stored: ClassVar[bool] = True

    execution: str
    name: str
    strategy: str
    executor: str
    market: str
    complete: bool
    end: str
    mode: str
    slippage_bps: Decimal | None
    duration_ns: int
    result: ExecutionResult


class Incident(Record, frozen=True, gc=False):
    """Something that should not happen did: its name and both sides' figures."""

    kind: ClassVar[str] = "incident"
    stored: ClassVar[bool] = True

    name: str
    detail: str


class ControlAsked(Record, frozen=True, gc=False):
    """A person told the engine to do something; ``refused`` says why it was not done, "" = it was.

    ``who`` is the way by which it came: a key of the live view, or the control socket.
    """

    kind: ClassVar[str] = "control"
    stored: ClassVar[bool] = True

    who: str
    command: str
    arguments: dict[str, str]
    refused: str = ""


class StrategyChanged(Record, frozen=True, gc=False):
    """A strategy was added, removed or reloaded while the engine ran.

    ``config`` is its table as JSON, as it is from now on; ``config_hash`` that of the whole
    configuration that it came with, "" where it was removed.
    """

    kind: ClassVar[str] = "strategy_changed"
    stored: ClassVar[bool] = True

    strategy: str
    change: str
    market: str
    config_hash: str
    config: str


class AlertRaised(Record, frozen=True, gc=False):
    """A person should know of something that no other record tells."""

    kind: ClassVar[str] = "alert"
    stored: ClassVar[bool] = True

    severity: str
    name: str
    detail: str


#: Every record class by its kind.
RECORDS: Mapping[str, type[Record]] = {
    cls.kind: cls
    for cls in (
        AlertRaised,
        CancelAsked,
        ControlAsked,
        DecisionMade,
        ExecutionEnded,
        ExecutionStarted,
        ExecutionStepped,
        FillBooked,
        Incident,
        IntentDenied,
        MarkoutKnown,
        OrderMoved,
        OrderRecorded,
        PostureChanged,
        QuotesSampled,
        Reconciled,
        RunEnded,
        RunStarted,
        StrategyChanged,
        TickPassed,
    )
} | {cls.kind: cls for cls in RISK_RECORDS}
