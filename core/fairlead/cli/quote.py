"""Show the ladder that a configuration would place, level by level: ``fairlead quote``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from fairlead.api import KEEP, Duration, Gate, Place
from fairlead.cli.config import config_argument, set_option
from fairlead.cli.explain import chain_lines
from fairlead.cli.figure import clock
from fairlead.cli.run import read_config
from fairlead.errors import ExitCode, UsageError
from fairlead.kernel import Session, SessionOptions, StrategyRunner, SystemProcess
from fairlead.model import Quote, Slot, trimmed
from fairlead.pipeline import Refusal
from fairlead.store import Durability, InlineWriter, TraceHash, memory_database

__all__ = ["quote"]

_SECOND = 1_000_000_000
# How long a source is searched for the first moment at which there is something to quote.
_SEARCH_NS = 600 * _SECOND


@dataclass(frozen=True, slots=True)
class _Line:
    quote: Quote
    refusal: Refusal | None


@dataclass(slots=True)
class _Ladder:
    strategy: str
    market: str
    at_ns: int = 0
    best_bid: str | None = None
    best_ask: str | None = None
    lines: list[_Line] = field(default_factory=list)
    gates: tuple[Gate, ...] = ()


@click.command()
@config_argument
@set_option
@click.option(
    "--at",
    "at",
    metavar="TIME",
    help='When, counted from the begin of the source, e.g. "5 min"; by default as soon as there '
    "is a ladder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the ladders as JSON.")
@click.pass_context
def quote(
    ctx: click.Context, path: Path | None, sets: tuple[str, ...], at: str | None, as_json: bool
) -> None:
    """Show what would be quoted on the source's book, with reasons; sends and writes nothing.

    Example: fairlead quote plugins.toml --at "5 min"
    """
    found = read_config(path, sets)
    at_ns = None if at is None else _at(at)
    ladders: dict[str, _Ladder] = {}

    async def look(session: Session) -> None:
        """Wait for the moment, note every ladder, and end the session."""
        start_ns = session.clock.now_ns()
        end_ns = start_ns + (_SEARCH_NS if at_ns is None else at_ns)
        now_ns = start_ns
        while now_ns < end_ns:
            await session.clock.sleep_until_ns(end_ns if at_ns else now_ns + _SECOND)
            now_ns = session.clock.now_ns()
            if not session.engine.assembled:
                continue
            for runner in session.engine.desk.runners.values():
                ladders[runner.name] = _ladder(session, runner, now_ns - start_ns)
            if at_ns is None and all(ladder.lines for ladder in ladders.values()):
                break
        session.engine.request_stop()

    session = Session(
        found.settings,
        found.plugins,
        found.offers,
        store=InlineWriter(memory_database("memory", Durability.NORMAL)),
        traces=lambda name: TraceHash(),
        process=SystemProcess(Path()),
        options=SessionOptions(observe_only=True),
    )
    outcome = session.run(look)
    if outcome.result.failure is not None:
        raise outcome.result.failure
    if as_json:
        click.echo(
            json.dumps({"schema": 1, "ladders": [_as_json(one) for one in ladders.values()]})
        )
    else:
        console = Console()
        for ladder in ladders.values():
            console.print(_text(ladder), soft_wrap=True, highlight=False)
    quoted = ladders and all(ladder.lines for ladder in ladders.values())
    ctx.exit(ExitCode.CLEAN if quoted else ExitCode.CHECK_FAILED)


def _at(text: str) -> int:
    try:
        return Duration.parse(text).ns
    except ValueError as error:
        raise UsageError("--at", text, str(error)) from error


def _ladder(session: Session, runner: StrategyRunner, at_ns: int) -> _Ladder:
    desk, now_ns = session.engine.desk, session.clock.now_ns()
    book = runner.market.view()
    decision = runner.preview(now_ns)
    ladder = _Ladder(
        strategy=runner.name,
        market=str(runner.market.market),
        at_ns=at_ns,
        best_bid=None if book is None else trimmed(book.best_bid.price),
        best_ask=None if book is None else trimmed(book.best_ask.price),
        gates=decision.gates,
    )
    for one in () if decision.quotes is KEEP else decision.quotes:
        place = Place(
            slot=Slot(runner.name, runner.market.market, one.side, one.level),
            side=one.side,
            price=one.price,
            quantity=one.quantity,
            decided_ns=now_ns,
            reference=one.reference,
        )
        judged = desk.pipeline.judge(place, desk.view)
        ladder.lines.append(_Line(one, judged if isinstance(judged, Refusal) else None))
    return ladder


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
            text.append(f"   would be denied by {denied.rule}: {denied.detail or denied.observed}")
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
