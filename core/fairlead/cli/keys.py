"""Read single keys from a terminal without waiting for any."""

from __future__ import annotations

import os
import select  # sim-ok: asks for keys; only where no engine runs does it wait
from contextlib import suppress
from types import TracebackType
from typing import IO, Any

try:
    import termios
    import tty
except ImportError:  # not a Unix terminal: no keys, Ctrl-C still stops
    termios = None  # type: ignore[assignment]  # checked before each use

__all__ = ["Keys"]


class Keys:
    """The keyboard while a view is drawn; gives the terminal back as it was.

    ``stream`` None or no terminal: there are no keys.
    """

    def __init__(self, stream: IO[str] | None) -> None:
        self._stream = stream
        self._terminal = -1
        self._before: list[Any] = []

    def __enter__(self) -> Keys:
        if termios is not None and self._stream is not None and self._stream.isatty():
            number = self._stream.fileno()
            if _in_foreground(number):
                self._before = termios.tcgetattr(number)
                self._terminal = number
                tty.setcbreak(number)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._terminal >= 0:
            with suppress(termios.error):  # the terminal may be gone
                termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)

    def pressed_within(self, patience_s: float) -> str:
        """Give the keys pressed by then; comes back with the first one."""
        keyboard = [self._terminal] if self._terminal >= 0 else []
        select.select(keyboard, [], [], patience_s)
        return self.pressed()

    def pressed(self) -> str:
        """Give the keys pressed since the last call."""
        keys = b""
        while self._terminal >= 0 and select.select([self._terminal], [], [], 0)[0]:
            more = b""
            with suppress(OSError):  # the terminal may be gone
                more = os.read(self._terminal, 64)
            if not more:
                break
            keys += more
        return keys.decode(errors="ignore")


# Whoever touches his terminal from the background is stopped by it.
def _in_foreground(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # a terminal, but not the one that we were started from
        return True
