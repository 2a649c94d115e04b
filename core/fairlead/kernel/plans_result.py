"""Say what an execution came to, from its fills: prices, slippage, fees, and what is left open.

Source: docs/reference/money-words (slippage is signed, positive = worse, maker fills too).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal

from fairlead.api import ExecutionMode, ExecutionResult, LegResult
from fairlead.kernel.plans_book import PlanBook
from fairlead.kernel.plans_run import Closing
from fairlead.model import ZERO, Instrument, MarketId
from fairlead.store import AdmittedLeg

__all__ = ["denied_result", "execution_result", "total_slippage_bps"]

# A price or share that comes from a division is kept with so many digits.
_DIGITS = Context(prec=16)
_BPS_STEP = Decimal("0.0001")


def execution_result(
    legs: tuple[AdmittedLeg, ...],
    book: PlanBook,
    closing: Closing,
    instruments: Mapping[MarketId, Instrument],
    *,
    started_ns: int,
    ended_ns: int,
) -> ExecutionResult:
    """Build the result of an execution whose orders can no longer fill.

    What was traded besides the admitted legs (hedges, exits) follows them with nothing requested;
    its slippage is against the mids at the orders' own decisions.
    """
    results = []
    named = set()
    for leg in legs:
        market = MarketId.parse(leg.market)
        named.add((market, leg.side))
        results.append(_leg(leg, book, instruments[market], entry=True))
    for market, side in book.traded:
        entry = False if (market, side) in named else None
        if not book.progress(market, side, entry=entry).quantity:
            continue
        mid = book.mid(market, side, entry=entry)
        extra = AdmittedLeg(str(market), side, ZERO, ZERO, None, mid)
        results.append(_leg(extra, book, instruments[market], entry=entry))
    residual = dict(closing.residual)
    for found in (closing.kept, closing.since):
        for market, quantity in found.items():
            residual[market] = residual.get(market, ZERO) + quantity
    return ExecutionResult(
        complete=closing.complete,
        end=closing.end,
        mode=_mode(book),
        legs=tuple(results),
        residual={str(market): left for market, left in residual.items() if left},
        started_ns=started_ns,
        ended_ns=ended_ns,
        notes=closing.notes,
    )


def denied_result(why: str, now_ns: int) -> ExecutionResult:
    """Build what a controller sees of a plan that was not admitted."""
    return ExecutionResult(
        complete=False,
        end=f"denied: {why}",
        mode=ExecutionMode.NONE,
        legs=(),
        residual={},
        started_ns=now_ns,
        ended_ns=now_ns,
        notes={},
    )


def total_slippage_bps(
    result: ExecutionResult, instruments: Mapping[MarketId, Instrument]
) -> Decimal | None:
    """Give the slippage of all legs in bps of their value at the decision; None = unknown.

    Unknown is also what legs of unlike quote currencies add up to: nothing converts them here.
    """
    filled = [(leg, instruments[MarketId.parse(leg.market)]) for leg in result.legs if leg.filled]
    if len({instrument.quote for _, instrument in filled}) != 1:
        return None
    cost = value = ZERO
    for leg, instrument in filled:
        if leg.slippage_quote is None or leg.decision_mid is None:
            return None
        cost += leg.slippage_quote
        value += instrument.notional(leg.decision_mid, leg.filled)
    return (cost / value).scaleb(4).quantize(_BPS_STEP) if value else None


def _leg(
    leg: AdmittedLeg, book: PlanBook, instrument: Instrument, *, entry: bool | None
) -> LegResult:
    market = instrument.market
    done = book.progress(market, leg.side, entry=entry)
    slippage_quote = slippage_bps = None
    if leg.mid is not None and done.quantity:
        worse = leg.side.sign * (done.weighted - leg.mid * done.quantity)
        slippage_quote = worse * instrument.multiplier
        slippage_bps = (worse / (leg.mid * done.quantity)).scaleb(4).quantize(_BPS_STEP)
    return LegResult(
        market=leg.market,
        side=leg.side,
        requested=leg.quantity,
        filled=done.quantity,
        decision_mid=_short(leg.mid),
        expected=_short(leg.expected),
        average=_short(done.average),
        slippage_quote=slippage_quote,
        slippage_bps=slippage_bps,
        maker=done.maker,
        fees=dict(done.fees),
    )


def _mode(book: PlanBook) -> ExecutionMode:
    total = book.progress()
    if not total.quantity:
        return ExecutionMode.NONE
    if total.maker == total.quantity:
        return ExecutionMode.MAKER
    return ExecutionMode.MIXED if total.maker else ExecutionMode.TAKER


def _short(price: Decimal | None) -> Decimal | None:
    return None if price is None else _DIGITS.plus(price)
