"""Follow a session while it runs: the live view on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console
from rich.live import Live

from fairlead.cli.figure import clock, percent, signed
from fairlead.cli.keys import Keys
from fairlead.cli.live import LiveState, LiveView
from fairlead.cli.live_key import Pin, key_commands
from fairlead.cli.picture import Picture
from fairlead.kernel import Session
from fairlead.model import ZERO

__all__ = ["LiveWatch", "ProgressWatch"]

_SECOND = 1_000_000_000
_REFRESH_NS = _SECOND // 4
# At full speed: where the search for the right step begins, in multiples of real time.
_FIRST_PACE = 60
# How often a run without a terminal says where it is, in its own time.
_LINES = 10
_LINE_NS = 300 * _SECOND


class ProgressWatch:
    """Says on ``console`` now and then how far a session is."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def __call__(self, session: Session) -> None:
        """Run until cancelled."""
        step_ns = session.length_ns // _LINES if session.length_ns else _LINE_NS
        while True:
            await session.clock.sleep_ns(max(step_ns, _SECOND))
            elapsed_ns = session.clock.now_ns() - session.engine.started_ns
            # While the end is being proven there is no more progress to tell of.
            over = session.length_ns is not None and elapsed_ns > session.length_ns
            if over or not session.engine.assembled:
                continue
            ledger = session.engine.desk.ledger
            length = "" if session.length_ns is None else f" of {clock(session.length_ns)}"
            fills = sum(one.totals.fills for one in ledger.strategies.values())
            trading = sum((one.book.parts.trading for one in ledger.strategies.values()), ZERO)
            self._console.print(
                f"{clock(elapsed_ns)}{length}  fills {fills}  trading PnL {signed(trading)} "
                f"{ledger.currency}  drawdown {percent(ledger.nav.drawdown.now, 2)}",
                highlight=False,
            )


class LiveWatch:
    """Draws the live view on a terminal and answers its keys; takes it away at the end."""

    def __init__(self, console: Console, keyboard: IO[str] | None = None) -> None:
        self._console = console
        self._keyboard = keyboard or sys.stdin
        self._pin = Pin()
        #: What is drawn; by default one of its own.
        self.picture: Picture | None = None

    async def __call__(self, session: Session) -> None:
        """Run until cancelled; gives the terminal back as it was, whatever happens."""
        own = self.picture is None
        self.picture = self.picture or Picture(session)
        step_ns = int(_REFRESH_NS * (session.pace or _FIRST_PACE))
        drawn_ns = session.wall_ns()
        try:
            with (
                Keys(self._keyboard) as keys,
                Live(console=self._console, auto_refresh=False, transient=True) as live,
            ):
                while True:
                    await session.clock.sleep_ns(step_ns)
                    if session.pace is None:
                        # Nobody holds the time back, so find the step that takes one refresh.
                        wall_ns = session.wall_ns()
                        step_ns = _adapted(step_ns, wall_ns - drawn_ns)
                        drawn_ns = wall_ns
                    if session.engine.assembled:
                        state = self.state(session)
                        self._press(keys.pressed(), session, state)
                        live.update(LiveView(self._pin.on(state)), refresh=True)
        finally:
            if own:
                self.picture.close()

    def state(self, session: Session) -> LiveState:
        """Show the session as of now."""
        self.picture = self.picture or Picture(session)
        return self.picture.state()

    def _press(self, pressed: str, session: Session, state: LiveState) -> None:
        for key in pressed:
            if key == "e":
                self._pin.explain(state)
            for command in key_commands(key, state):
                session.control.take(command, f"key {key}", lambda answer: None)


def _adapted(step_ns: int, took_ns: int) -> int:
    # At most twice or half of it at once: one slow refresh is no reason to leap.
    wanted = step_ns * _REFRESH_NS // max(took_ns, 1)
    return min(max(wanted, step_ns // 2, 1), step_ns * 2)
