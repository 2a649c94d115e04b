"""Say which executions a run leaves unfinished, what they hold, and what of it nothing covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from fairlead.kernel.plans_run import PlanRun
from fairlead.ledger import PlanFact
from fairlead.model import ZERO, MarketId, trimmed

__all__ = ["PlanLeft", "held_text", "left_fact", "plans_left"]


@dataclass(frozen=True, slots=True)
class PlanLeft:
    """An execution without an end when its run ended; the next run takes it up."""

    execution: str
    name: str
    strategy: str
    executor: str
    #: What it holds by market, signed, in base units or contracts; nothing that is zero.
    held: Mapping[MarketId, Decimal]
    #: What of that its own markets do not cover, by base asset, signed, in base units; what is
    #: smaller than the coarsest lot there is not counted.
    open: Mapping[str, Decimal]

    @property
    def text(self) -> str:
        """Say it in a line."""
        return f"{self.strategy} execution {self.name} ({self.executor}): {_text(self)}"


def plans_left(runs: Iterable[PlanRun]) -> tuple[PlanLeft, ...]:
    """Describe executions as they stand now."""
    return tuple(_left(run) for run in runs)


def left_fact(left: PlanLeft) -> PlanFact:
    """Give it as the report has it."""
    return PlanFact(
        name=left.name,
        strategy=left.strategy,
        executor=left.executor,
        held={str(market): held for market, held in left.held.items()},
        open=left.open,
        text=left.text,
    )


def held_text(run: PlanRun) -> str:
    """Say what an execution holds, and what of it nothing covers."""
    return _text(_left(run))


def _left(run: PlanRun) -> PlanLeft:
    held = {market: run.book.exposure(market) for market in run.instruments}
    net: dict[str, Decimal] = {}
    lots: dict[str, Decimal] = {}
    for market, instrument in run.instruments.items():
        base, size = instrument.base, instrument.multiplier
        net[base] = net.get(base, ZERO) + held[market] * size
        lots[base] = max(lots.get(base, ZERO), instrument.lot * size)
    return PlanLeft(
        execution=run.execution,
        name=run.name,
        strategy=run.strategy,
        executor=run.executor_name,
        held={market: quantity for market, quantity in held.items() if quantity},
        open={base: quantity for base, quantity in net.items() if abs(quantity) >= lots[base]},
    )


def _text(left: PlanLeft) -> str:
    if not left.held:
        return "holds nothing"
    held = ", ".join(f"{_signed(held)} on {market}" for market, held in left.held.items())
    open_ = ", ".join(f"{_signed(quantity)} {base}" for base, quantity in left.open.items())
    return f"holds {held}; {open_ or 'nothing'} uncovered"


def _signed(quantity: Decimal) -> str:
    return f"+{trimmed(quantity)}" if quantity > 0 else trimmed(quantity)
