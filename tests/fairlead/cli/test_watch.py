"""What is shown while a session runs, and that looking on changes nothing."""

import os
import pty
import re
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from typing import IO

import pytest
from rich.console import Console
from typing_extensions import override

from fairlead.cli.config import configured
from fairlead.cli.live import LiveState
from fairlead.cli.watch import LiveWatch, ProgressWatch
from fairlead.kernel import Session, SessionOptions, SessionOutcome, StopReason
from fairlead.kernel.session import Watch
from fairlead.store import Durability, Incident, InlineWriter, TraceHash, memory_database
from fairlead.testing import VirtualProcess
from tests.conftest import ROOT

MINUTE = 60_000_000_000
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Pressing(LiveWatch):
    """Presses keys whenever the view is drawn."""

    def __init__(self, console: Console, keyboard: tuple[int, IO[str]], keys: bytes) -> None:
        super().__init__(console, keyboard[1])
        self._hands, self._keys = keyboard[0], keys

    @override
    def state(self, session: Session) -> LiveState:
        os.write(self._hands, self._keys)
        return super().state(session)


def session(*sets: str, minutes: int, pace: float | None = None) -> Session:
    """The shipped demo, kept in memory."""
    found = configured(ROOT / "plugins.toml", sets, env={})
    return Session(
        found.settings,
        found.plugins,
        found.offers,
        store=InlineWriter(memory_database("memory", Durability.NORMAL)),
        traces=lambda name: TraceHash(),
        process=VirtualProcess(),
        options=SessionOptions(for_ns=minutes * MINUTE, pace=pace),
    )


def screen() -> Console:
    return Console(file=StringIO(), force_terminal=True, width=140, height=40)


def drawn(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return _CONTROL.sub("", console.file.getvalue())


@pytest.fixture
def keyboard() -> Iterator[tuple[int, IO[str]]]:
    """Where to press keys, and where they come out."""
    hands, reader = pty.openpty()
    with os.fdopen(reader) as stream:
        yield hands, stream
    os.close(hands)


def run(watch: Watch | None, *, minutes: int = 3, pace: float | None = None) -> SessionOutcome:
    return session(minutes=minutes, pace=pace).run(watch)


@pytest.mark.unmeasured
def test_looking_on_changes_nothing_of_what_happens() -> None:
    alone = run(None).trace_hash

    assert run(ProgressWatch(Console(file=StringIO()))).trace_hash == alone
    assert run(LiveWatch(screen())).trace_hash == alone
    assert run(LiveWatch(screen()), pace=2000).trace_hash == alone


def test_progress_is_a_line_for_each_tenth() -> None:
    console = Console(file=StringIO(), width=200)

    run(ProgressWatch(console))

    lines = drawn(console).splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("00:18 of 03:00  fills 0  trading PnL 0.00 USDT  drawdown 0.0")
    assert lines[-1].startswith("03:00 of 03:00  fills ")


def test_a_short_run_is_not_said_to_be_past_its_end() -> None:
    console = Console(file=StringIO(), width=200)

    session(minutes=0).run(ProgressWatch(console))

    assert drawn(console) == ""


def test_the_view_is_taken_away_at_the_end() -> None:
    console = screen()

    run(LiveWatch(console))

    assert isinstance(console.file, StringIO)
    raw = console.file.getvalue()
    assert "demo · PAPER · main:ALT/USDT" in drawn(console)
    assert raw.count("\x1b[?25l") == raw.count("\x1b[?25h") == 1  # the cursor is back
    assert raw.rstrip().endswith("\x1b[2K")  # the last line drawn is erased


def test_q_asks_for_the_clean_stop(keyboard: tuple[int, IO[str]]) -> None:
    watch = Pressing(screen(), keyboard, b"xq")

    outcome = run(watch, minutes=30)

    assert outcome.result.reason is StopReason.ASKED
    assert outcome.result.proven
    assert outcome.result.ended_ns - outcome.result.started_ns < 10 * MINUTE


@pytest.mark.unmeasured
def test_e_explains_the_last_fill(keyboard: tuple[int, IO[str]]) -> None:
    console = screen()

    run(Pressing(console, keyboard, b"e"), minutes=12)

    shown = drawn(console)
    assert "no fill to explain yet" in shown
    found = re.search(r"fairlead explain [a-z2-7]{8}   (BUY|SELL) reference [12]\.\d+, ", shown)
    assert found is not None
    assert re.search(r"spread [+−]\d+\.\d, price skew [+−]?\d\.\d, round ", shown) is not None


class Looking(LiveWatch):
    """Keeps every state that is drawn."""

    def __init__(self) -> None:
        super().__init__(screen())
        self.seen: list[LiveState] = []

    @override
    def state(self, session: Session) -> LiveState:
        self.seen.append(super().state(session))
        return self.seen[-1]


@pytest.mark.unmeasured
def test_the_view_shows_the_engine_as_it_stands() -> None:
    watch = Looking()

    outcome = session("risk.one_sided_fills=1000", minutes=15).run(watch)

    first, last = watch.seen[0], watch.seen[-1]
    assert (first.instance, first.mode, first.currency) == ("demo", "paper", "USDT")
    assert first.length_ns == 15 * MINUTE
    assert (first.posture, first.posture_rule) == ("paused", "warm_up")
    assert first.strategies[0].gate.startswith("warm_up: ")
    assert (last.posture, last.posture_reason, last.unknown_orders) == ("ACTIVE", "", 0)
    assert last.drawdown_limit == Decimal("0.05")
    assert last.book_valid
    assert last.data_age_ns is not None
    assert 0 <= last.data_age_ns < MINUTE
    (strategy,) = last.strategies
    assert strategy.best_bid is not None
    assert strategy.best_ask is not None
    for quotes, best, side in ((strategy.bids, strategy.best_ask, 1), (strategy.asks, 0, -1)):
        prices = [quote.price for quote in quotes]
        assert prices == sorted(prices, key=lambda price: -side * price)
        assert best == 0 or all(price < best for price in prices)
    assert strategy.base_share is not None
    assert abs(strategy.base_share - 0.5) < 0.15
    assert strategy.buys + strategy.sells > 0
    assert outcome.report is not None


@pytest.mark.unmeasured
def test_what_stands_before_an_order_only_shrinks_while_it_rests() -> None:
    watch = Looking()

    run(watch, minutes=4)

    rested: dict[str, list[Decimal]] = {}
    for state in watch.seen:
        for quote in state.strategies[0].bids:
            if quote.queue_ahead is not None:
                rested.setdefault(quote.order, []).append(quote.queue_ahead)
    assert any(rested.values())
    assert all(sizes == sorted(sizes, reverse=True) for sizes in rested.values())


def test_denials_and_postures_are_shown_as_they_happen() -> None:
    watch = Looking()

    session("strategies.alt.order_size=600 USDT", minutes=2).run(watch)

    texts = [event.text for event in watch.seen[-1].events]
    assert any(re.match(r"(BUY|SELL) level \d denied by max_order", text) for text in texts)
    assert watch.seen[0].events[0].text.startswith("paused: book valid ")
    assert watch.seen[0].events[0].text.endswith("(warm_up)")


def test_an_incident_is_shown_as_it_happens() -> None:
    class Troubled(Looking):
        @override
        async def __call__(self, session: Session) -> None:
            at_ns = session.clock.now_ns() + MINUTE // 2
            session.clock.call_at_ns(at_ns, lambda: trouble(session))
            await super().__call__(session)

    def trouble(session: Session) -> None:
        session.journal.append(Incident(name="trouble", detail="for a test"))

    watch = Troubled()

    session(minutes=1).run(watch)

    assert watch.seen[-1].events[0].text == "trouble: for a test"


def test_a_view_that_breaks_is_our_bug_and_stops_nothing() -> None:
    class Broken(LiveWatch):
        @override
        def state(self, session: Session) -> LiveState:
            raise ZeroDivisionError

    outcome = run(Broken(screen()))

    assert isinstance(outcome.result.failure, ZeroDivisionError)
    assert outcome.result.reason is StopReason.DURATION
    assert outcome.result.proven
    assert outcome.report is not None
    assert outcome.result.exit_code == 70
