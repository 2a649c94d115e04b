"""Show the ladder that a configuration would place, level by level: ``fairlead quote``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from fairlead.api import KEEP, Denied, Gate, Place
from fairlead.cli.config import config_argument, configured, set_option
from fairlead.cli.explain import chain_lines
from fairlead.cli.figure import clock
from fairlead.cli.option import duration_ns
from fairlead.errors import ExitCode, UsageError
from fairlead.kernel import Session, SessionOptions, StrategyRunner, SystemProcess
from fairlead.model import Quote, Slot, trimmed
from fairlead.pipeline import Refusal
from fairlead.store import Durability, InlineWriter, TraceHash, memory_database

__all__ = ["quote"]

_SECOND = 1_000_000_000
# How long a source is searched for the first moment at which everything would be quoted.
_SEARCH_NS = 600 * _SECOND


@dataclass(frozen=True, slots=True)
class _Line:
    quote: Quote
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class _Ladder:
    strategy: str
    market: str
    at_ns: int
    best_bid: str | None
    best_ask: str | None
    lines: Sequence[_Line]
    gates: Sequence[Gate]

    @property
    def places(self) -> bool:
        """Tell whether anything of it would be placed."""
        return any(line.refusal is None for line in self.lines)


class _Look:
    # Waits beside a session for the moment that was asked for, notes the ladders, ends it.

    def __init__(self, at_ns: int | None) -> None:
        self._at_ns = at_ns
        self.ladders: list[_Ladder] = []

    async def __call__(self, session: Session) -> None:
        clock, ticker = session.clock, session.container.ticker()
        start_ns = clock.now_ns()
        await clock.sleep_ns(self._at_ns or 0)
        until_ns = start_ns + (_SEARCH_NS if self._at_ns is None else self._at_ns)
        while True:
            # Before its first tick the engine does not know the account.
            if ticker.ticks:
                runners = session.engine.desk.runners.values()
                at_ns = clock.now_ns() - start_ns
                self.ladders = [_ladder(session, runner, at_ns) for runner in runners]
                if self.places or clock.now_ns() >= until_ns:
                    break
            await clock.sleep_ns(_SECOND)
        session.engine.request_stop()

    @property
    def places(self) -> bool:
        """Tell whether every strategy would place something."""
        return bool(self.ladders) and all(ladder.places for ladder in self.ladders)


@click.command()
@config_argument
@set_option
@click.option(
    "--at",
    metavar="TIME",
    help='When, counted from the begin of the source, e.g. "5 min"; by default as soon as every '
    "strategy would place something.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the ladders as JSON.")
@click.pass_context
def quote(
    ctx: click.Context, path: Path | None, sets: tuple[str, ...], at: str | None, as_json: bool
) -> None:
    """Show what would be quoted on the source's book, with reasons; sends and writes nothing.

    The exit code is 1 when a strategy would place nothing then.

    Example: fairlead quote plugins.toml --at "5 min"
    """
    look = _Look(duration_ns("--at", at))
    found = configured(path, sets)
    session = Session(
        found.settings,
        found.plugins,
        found.offers,
        store=InlineWriter(memory_database("memory", Durability.NORMAL)),
        traces=lambda name: TraceHash(),
        process=SystemProcess(Path()),
        options=SessionOptions(observe_only=True),
    )
    result = session.run(look).result
    if not look.ladders:
        if result.failure is not None:
            raise result.failure
        length = clock(result.ended_ns - result.started_ns)
        raise UsageError("--at", at or "", f"{result.reason} after {length}; ask for less")
    if as_json:
        click.echo(json.dumps({"schema": 1, "ladders": [_as_json(one) for one in look.ladders]}))
    else:
        console = Console(highlight=False)
        for ladder in look.ladders:
            console.print(_text(ladder), soft_wrap=True)
    ctx.exit(ExitCode.CLEAN if look.places else ExitCode.CHECK_FAILED)


def _ladder(session: Session, runner: StrategyRunner, at_ns: int) -> _Ladder:
    book = runner.market.view()
    now_ns = session.clock.now_ns()
    decision = runner.preview(now_ns)
    quotes = runner.quotes if decision.quotes is KEEP else decision.quotes
    return _Ladder(
        strategy=runner.name,
        market=str(runner.market.market),
        at_ns=at_ns,
        best_bid=None if book is None else trimmed(book.best_bid.price),
        best_ask=None if book is None else trimmed(book.best_ask.price),
        lines=[_line(session, runner, one, now_ns) for one in quotes],
        gates=decision.gates,
    )


def _line(session: Session, runner: StrategyRunner, one: Quote, now_ns: int) -> _Line:
    place = Place(
        slot=Slot(runner.name, runner.market.market, one.side, one.level),
        side=one.side,
        price=one.price,
        quantity=one.quantity,
        decided_ns=now_ns,
        reference=one.reference,
    )
    desk = session.engine.desk
    judged = desk.pipeline.judge(place, desk.view)
    return _Line(one, judged if isinstance(judged, Refusal) else None)


def _text(ladder: _Ladder) -> Text:
    text = Text(f"{ladder.strategy} on {ladder.market} at {clock(ladder.at_ns)}", style="bold")
    text.append(f"   bid {ladder.best_bid or 'n/a'} │ ask {ladder.best_ask or 'n/a'}\n", "dim")
    for gate in ladder.gates:
        text.append(f"  not quoted: {gate.name}: {gate.detail}\n", "yellow")
    for line in sorted(ladder.lines, key=lambda line: -line.quote.price):
        one = line.quote
        style = "green" if one.side == "BUY" else "red"
        text.append(f"  {one.side} level {one.level}  ", style)
        text.append(f"{trimmed(one.quantity)} @ {trimmed(one.price)}", "bold")
        if line.refusal is not None:
            denied = line.refusal.denied
            text.append(f"   would be denied by {denied.rule}: {_figures(denied)}")
        text.append("\n")
        for row in chain_lines(_reasons(one)):
            text.append("    ").append_text(row).append("\n")
    return text


def _as_json(ladder: _Ladder) -> dict[str, Any]:
    return {
        "strategy": ladder.strategy,
        "market": ladder.market,
        "at_ns": ladder.at_ns,
        "best_bid": ladder.best_bid,
        "best_ask": ladder.best_ask,
        "gates": [{"name": gate.name, "detail": gate.detail} for gate in ladder.gates],
        "quotes": [
            {
                "side": line.quote.side.value,
                "level": line.quote.level,
                "price": trimmed(line.quote.price),
                "quantity": trimmed(line.quote.quantity),
                "denied": None
                if line.refusal is None
                else {"rule": line.refusal.denied.rule, "detail": line.refusal.denied.detail},
                "reasons": _reasons(line.quote),
            }
            for line in ladder.lines
        ],
    }


def _figures(denied: Denied) -> str:
    detail = f" ({denied.detail})" if denied.detail else ""
    return f"{_shown(denied.observed)}, limit {_shown(denied.limit)}{detail}"


def _shown(figure: Decimal | str) -> str:
    return trimmed(figure) if isinstance(figure, Decimal) else figure


def _reasons(quote: Quote) -> list[dict[str, Any]]:
    return [
        {
            "stage": reason.stage,
            "subject": reason.subject,
            "before": None if reason.before is None else trimmed(reason.before),
            "after": trimmed(reason.after),
            "detail": reason.detail,
        }
        for reason in quote.reasons
    ]
