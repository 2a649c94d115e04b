"""Decide what a person should be told of: from records, and from what lasts too long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import PostureLevel, Record, Severity
from fairlead.kernel.desk import Desk
from fairlead.kernel.ticker import Tick
from fairlead.model import ZERO
from fairlead.store import AlertRaised, Incident, Journal, PostureChanged, RuleFired, RunEnded

__all__ = ["AlertWatch", "Cause", "cause_of"]

_SECOND = 1_000_000_000
_UNPROVEN_NS = 60 * _SECOND
_DAY_NS = 86_400 * _SECOND
#: Incidents after which money may be at risk, or nobody trades any more.
_CRITICAL = frozenset(
    {
        "core_failed",
        "fenced",
        "foreign_tag",
        "marker_failed",
        "overfill",
        "position_difference",
        "store_failed",
    }
)
_CLEAN_ENDS = frozenset({"the source ended", "the time asked for is over", "asked to stop"})


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a person is told: the grade, the kind, and one line with the figures."""

    severity: Severity
    name: str
    detail: str


def cause_of(record: Record) -> Cause | None:
    """Give what a record has to say to a person; None = nothing."""
    match record:
        case AlertRaised(severity=severity, name=name, detail=detail):
            return Cause(Severity(severity), name, detail)
        case Incident(name=name, detail=detail):
            severity = Severity.CRITICAL if name in _CRITICAL else Severity.WARNING
            return Cause(severity, name, detail)
        case PostureChanged():
            return _restrained(record)
        case RuleFired(rule=rule, effect="warning", reason=reason):
            return Cause(Severity.WARNING, "risk_warning", f"{rule}: {reason}")
        case RunEnded():
            return _end(record)
        case _:
            return None


def _restrained(record: PostureChanged) -> Cause | None:
    if record.level == PostureLevel.HALTED:
        return Cause(Severity.CRITICAL, "halted", _why(record))
    if record.level == PostureLevel.REDUCING:
        return Cause(Severity.WARNING, "reducing", _why(record))
    return None


def _end(record: RunEnded) -> Cause | None:
    if not record.proven:
        detail = f"{record.reason}; own orders may be left at the venue"
        return Cause(Severity.CRITICAL, "orders_left", detail)
    if record.reason in _CLEAN_ENDS:
        return None
    return Cause(Severity.CRITICAL, "stopped", f"{record.reason}; no order of ours is left")


def _why(record: PostureChanged) -> str:
    return f"{record.market or 'account'}: {record.rule}: {record.reason}"


@dataclass(frozen=True, slots=True)
class _Day:
    # How things stood when a day began.
    number: int
    equity: Decimal | None
    #: Strategy → trading PnL and fills of the run until then.
    traded: Mapping[str, tuple[Decimal, int]]


class AlertWatch:
    """Looks on every tick for what no record tells, and journals it; part of the core."""

    def __init__(self, journal: Journal, desk: Callable[[], Desk]) -> None:
        self._journal = journal
        self._desk = desk
        self._told: dict[str, None] = {}
        self._day: _Day | None = None

    def look(self, tick: Tick) -> None:
        """Look once; a part of the tick's report."""
        self._unproven(tick.at_ns)
        number = tick.at_ns // _DAY_NS
        if self._day is None or number != self._day.number:
            today = self._today(number)
            if self._day is not None:
                detail = _statement(self._day, today, self._desk().ledger.currency)
                self._journal.append(AlertRaised("info", "daily_statement", detail))
            self._day = today

    def _unproven(self, now_ns: int) -> None:
        old = {
            order.client_id: order
            for order in self._desk().orders.live()
            if order.state.is_unproven
            and now_ns - (order.sent_ns or order.recorded_ns) > _UNPROVEN_NS
        }
        for client_id, order in old.items():
            if client_id not in self._told:
                market = order.intent.slot.market
                detail = f"order {client_id[-8:]} on {market} is {order.state} for over 60 s"
                self._journal.append(AlertRaised("critical", "order_unproven", detail))
        self._told = dict.fromkeys(old)

    def _today(self, number: int) -> _Day:
        desk = self._desk()
        traded = {
            name: (one.book.parts.trading, one.totals.fills)
            for name, one in desk.ledger.strategies.items()
        }
        return _Day(number, desk.figures.equity, traded)


def _statement(before: _Day, after: _Day, currency: str) -> str:
    parts = [f"equity {_money(before.equity)} → {_money(after.equity)} {currency}"]
    for name, (trading, fills) in after.traded.items():
        was, had = before.traded.get(name, (ZERO, 0))
        parts.append(f"{name} trading PnL {_money(trading - was)}, {fills - had} fills")
    return "; ".join(parts)


def _money(value: Decimal | None) -> str:
    return "unavailable" if value is None else f"{value:,.2f}"
