"""Read single keys from a terminal without waiting for any."""

from __future__ import annotations

import os
import select  # sim-ok: asks whether a key is there, never waits for one
from types import TracebackType
from typing import IO, Any

try:
    import termios
    import tty
except ImportError:  # not a Unix terminal: no keys, Ctrl-C still stops
    termios = None  # type: ignore[assignment]  # checked before each use

__all__ = ["Keys"]


class Keys:
    """The keyboard while a view is drawn; gives the terminal back as it was."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._before: list[Any] | None = None

    def __enter__(self) -> Keys:
        if termios is not None and self._stream.isatty():
            self._before = termios.tcgetattr(self._stream)
            tty.setcbreak(self._stream.fileno())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            termios.tcsetattr(self._stream, termios.TCSADRAIN, self._before)

    def pressed(self) -> str:
        """Give the keys pressed since the last call."""
        if self._before is None:
            return ""
        keys = b""
        while select.select([self._stream], [], [], 0)[0]:
            more = os.read(self._stream.fileno(), 64)
            if not more:
                break
            keys += more
        return keys.decode(errors="ignore")
