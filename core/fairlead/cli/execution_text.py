"""Show what executions came to: one in full, many in figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fairlead.api import ExecutionResult
from fairlead.cli.figure import NOT_AVAILABLE, amount, clock, percent, signed, trimmed_amount
from fairlead.model import ZERO, statistic
from fairlead.store import StoredExecution

__all__ = [
    "ExecutionFigures",
    "figures_of",
    "figures_table",
    "last_table",
    "result_text",
    "wide_console",
]

_SECOND = 1_000_000_000
_LAST = 20
_WIDTH = 200


@dataclass(slots=True)
class ExecutionFigures:
    """What a set of executions adds up to; None where nothing tells."""

    count: int = 0
    complete: int = 0
    by_end: dict[str, int] = field(default_factory=dict)
    by_mode: dict[str, int] = field(default_factory=dict)
    slippage_bps: tuple[float, ...] = ()
    duration_s: tuple[float, ...] = ()
    fees: dict[str, Decimal] = field(default_factory=dict)
    residuals: int = 0

    @property
    def success_rate(self) -> float | None:
        """Give the share that did what it was asked for."""
        return self.complete / self.count if self.count else None

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name."""
        return {
            "count": self.count,
            "complete": self.complete,
            "success_rate": self.success_rate,
            "by_end": self.by_end,
            "by_mode": self.by_mode,
            "with_residual": self.residuals,
            "slippage_bps": _spread(self.slippage_bps),
            "duration_s": _spread(self.duration_s),
            "fees": {asset: str(fee) for asset, fee in self.fees.items()},
        }


def figures_of(executions: Iterable[StoredExecution]) -> ExecutionFigures:
    """Add up executions; slippage counts where it is known, duration always."""
    found = ExecutionFigures()
    slippage, durations = [], []
    for one in executions:
        result = one.result
        found.count += 1
        found.complete += result.complete
        found.residuals += bool(result.residual)
        found.by_end[result.end] = found.by_end.get(result.end, 0) + 1
        mode = result.mode.value
        found.by_mode[mode] = found.by_mode.get(mode, 0) + 1
        durations.append((result.ended_ns - result.started_ns) / _SECOND)
        if one.slippage_bps is not None:
            slippage.append(statistic(one.slippage_bps))
        for leg in result.legs:
            for asset, fee in leg.fees.items():
                found.fees[asset] = found.fees.get(asset, ZERO) + fee
    found.slippage_bps, found.duration_s = tuple(sorted(slippage)), tuple(sorted(durations))
    return found


def figures_table(groups: Mapping[str, ExecutionFigures]) -> Table:
    """Draw a line for each group of executions."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for head in ("count", "complete", "slippage bps", "p50", "p95", "time", "p50", "p95"):
        table.add_column(head, justify="right")
    table.add_column("fees")
    for name, figures in groups.items():
        slippage, time = _spread(figures.slippage_bps), _spread(figures.duration_s)
        table.add_row(
            name,
            str(figures.count),
            percent(figures.success_rate, 0),
            *(signed(slippage[key], 1) for key in ("mean", "p50", "p95")),
            *(_seconds(time[key]) for key in ("mean", "p50", "p95")),
            _fees(figures.fees),
        )
    return table


def last_table(executions: Sequence[StoredExecution]) -> Table:
    """Draw a line for each of the last executions."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("strategy", "name", "executor", "market", "mode", "end"):
        table.add_column(head)
    for head in ("filled", "of", "average", "slippage bps", "time"):
        table.add_column(head, justify="right")
    for one in executions[-_LAST:]:
        leg = one.result.legs[0] if one.result.legs else None
        table.add_row(
            one.strategy,
            one.name,
            one.executor,
            one.market,
            one.result.mode.value,
            Text(one.result.end, style="" if one.result.complete else "yellow"),
            NOT_AVAILABLE if leg is None else trimmed_amount(leg.filled),
            NOT_AVAILABLE if leg is None else trimmed_amount(leg.requested),
            NOT_AVAILABLE if leg is None or leg.average is None else f"{leg.average:.8g}",
            signed(one.slippage_bps, 1),
            clock(one.result.ended_ns - one.result.started_ns),
        )
    return table


def wide_console() -> Console:
    """Give the console for tables: as wide as the terminal, and wide enough where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


def result_text(name: str, result: ExecutionResult, slippage_bps: Decimal | None) -> Text:
    """Tell what one execution came to; positive slippage is worse than the mid at its begin."""
    style = "green" if result.complete else "yellow"
    text = Text(name, style="bold").append("  ")
    text.append("complete" if result.complete else "not complete", style)
    text.append(f" ({result.end}) in {clock(result.ended_ns - result.started_ns, places=1)}")
    text.append(f", {result.mode.value}, slippage {signed(slippage_bps, 2)} bps\n")
    for leg in result.legs:
        asked = f" of {trimmed_amount(leg.requested)}" if leg.requested else ""
        average = NOT_AVAILABLE if leg.average is None else f"{leg.average:.8g}"
        text.append(f"  {leg.side.value:<4} {leg.market}  {trimmed_amount(leg.filled)}{asked}")
        text.append(f" at {average}, mid {amount(leg.decision_mid, 6)}")
        text.append(f", slippage {signed(leg.slippage_bps, 2)} bps, fees {_fees(leg.fees)}\n")
    for market, left in result.residual.items():
        text.append(f"  left open on {market}: {trimmed_amount(left)}\n", "red")
    for key, value in result.notes.items():
        text.append(f"  {key}: {value}\n", "dim")
    text.rstrip()
    return text


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"mean": None, "p50": None, "p95": None}
    return {
        "mean": sum(values) / len(values),
        "p50": _percentile(values, 0.5),
        "p95": _percentile(values, 0.95),
    }


def _percentile(ordered: Sequence[float], share: float) -> float:
    # Nearest rank: the smallest value that so large a share does not exceed.
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[int(rank) - 1]


def _seconds(value: float | None) -> str:
    return NOT_AVAILABLE if value is None else clock(round(value * _SECOND), places=1)


def _fees(fees: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{amount(fee, 4)} {asset}" for asset, fee in fees.items()) or "none"
