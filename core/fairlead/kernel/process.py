"""Speak with the operating system: signals, identity and notes of last resort."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import fcntl
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TextIO

from fairlead.api import Helper

__all__ = ["SystemProcess"]

# What every start of our own command begins with.
_COMMAND = (sys.executable, "-c", "import sys; from fairlead.cli import main; sys.exit(main())")


class _Child:
    def __init__(self, process: subprocess.Popen[bytes], sign: Path) -> None:
        self._process = process
        self._sign = sign

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def sign(self) -> str:
        try:
            return self._sign.read_text(encoding="utf-8")
        except OSError:
            return ""

    def kill(self) -> None:
        if self.running:
            self._process.kill()  # the next look at `running` takes leave of it

    def end(self) -> None:
        if self.running:
            self._process.terminate()
            # It has nothing to finish; a zombie would be left otherwise.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_FAREWELL_S)


# What a helper may take to end.
_FAREWELL_S = 2.0


class SystemProcess:
    """The real process; markers are small files in ``folder``, written through to the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def identity(self) -> str:
        """Give host and process number."""
        return f"{platform.node()}:{os.getpid()}"

    def on_stop(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back on SIGINT and SIGTERM, in the next turn of the loop that runs now.

        Without a loop: from the main thread between two instructions.
        """
        return _on_signals(_STOP_SIGNALS, callback)

    def on_kill(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back on SIGUSR1, the same way."""
        return _on_signals((signal.SIGUSR1,), callback)

    def ignore_late_stops(self) -> None:
        """Ignore Ctrl-C once the interpreter goes, so that impatience changes no exit code."""
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)

    def write_marker(self, name: str, text: str) -> None:
        """Write a note and wait until the disk has it; replaces an older one as a whole.

        Where the disk has no room for the text, a new note is left empty.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / name
        unfinished = path.with_name(f"{name}.partial")
        try:
            with unfinished.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            if path.exists() or not unfinished.exists():
                raise
            os.truncate(unfinished, 0)
        unfinished.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)  # the name must survive too
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read_marker(self, name: str) -> str | None:
        """Read a note, None when there is none."""
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / name).read_text(encoding="utf-8")
        return None

    def clear_marker(self, name: str) -> None:
        """Remove a note, if there is one."""
        (self._folder / name).unlink(missing_ok=True)

    def beat(self, name: str, text: str) -> None:
        """Replace a note as a whole, without waiting for the disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / name
        unfinished = path.with_name(f"{name}.partial")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)

    def start_helper(self, arguments: Sequence[str], log: str, sign: str) -> Helper:
        """Start ``fairlead`` with these arguments, where no Ctrl-C of ours reaches it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / log).open("ab") as output:
            return _Child(
                subprocess.Popen(  # noqa: S603 - our own command
                    [*_COMMAND, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                ),
                self._folder / sign,
            )

    def interrupt(self, identity: str) -> bool:
        """Send SIGUSR1 to a process of this machine."""
        host, _, number = identity.rpartition(":")
        if host != platform.node() or not number.isdigit():
            return False
        try:
            os.kill(int(number), signal.SIGUSR1)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def lock(self, name: str) -> Callable[[], None] | None:
        """Lock a file of that name, which then names us as a note does.

        The operating system lets go when the process ends, however it ends.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / name).open("a", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        with contextlib.suppress(OSError):  # a full disk has no room for our name; the lock holds
            file.truncate(0)
            file.write(self.identity())
            file.flush()
        return partial(_let_go, file)


def _let_go(file: TextIO) -> None:
    with contextlib.suppress(OSError):  # it is closed even if our name still does not fit
        file.close()


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _on_signals(
    numbers: tuple[signal.Signals, ...], callback: Callable[[], None]
) -> Callable[[], None]:
    call: Callable[[], object] = callback
    with contextlib.suppress(RuntimeError):
        # A loop that waits for a socket would not notice otherwise.
        call = partial(asyncio.get_running_loop().call_soon_threadsafe, callback)

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        call()

    before = {number: signal.signal(number, handle) for number in numbers}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore
