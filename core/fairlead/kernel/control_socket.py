"""Open the socket by which other processes of the same user speak to a running engine.

It is a Unix socket beside the store, for its owner alone. One of a process that died is replaced;
one that still answers is not: two engines of one instance never run side by side.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fairlead.errors import ControlError, UsageError

__all__ = ["ControlSocket", "connect_socket", "socket_path"]

#: What a socket's address may be long on every system that we know.
_LONGEST = 100
_BACKLOG = 16
_PATIENCE_S = 2.0


def socket_path(folder: Path, instance: str) -> Path:
    """Say where an instance's socket is; ``folder`` is that of its store."""
    return folder / f"{instance}.sock"


def connect_socket(path: Path) -> socket.socket:
    """Connect to whoever listens there.

    :raises OSError: when nobody does.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_PATIENCE_S)
        with _address(path) as address:
            connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


class ControlSocket:
    """A socket that listens, mode 0600, from `open` to `close`."""

    def __init__(self, path: Path, listening: socket.socket) -> None:
        self.path = path
        self.listening = listening
        self._inode = path.stat().st_ino

    @classmethod
    def open(cls, path: Path) -> ControlSocket:
        """Listen at ``path``, in place of what a dead process left there.

        :raises ControlError: when an engine answers there.
        :raises UsageError: when no socket can be made there.
        """
        _make_room(path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Nobody else may connect, not even before the mode could be changed.
        before = os.umask(0o177)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _address(path) as address:
                listening.bind(address)
            listening.listen(_BACKLOG)
            listening.setblocking(False)
            return cls(path, listening)
        except OSError as error:
            listening.close()
            reason = f"no control socket can be made there ({error.strerror or error})"
            raise UsageError(str(path), "", reason) from error
        finally:
            os.umask(before)

    def close(self) -> None:
        """Stop listening and take the socket away, unless another one is there by now."""
        self.listening.close()
        with suppress(OSError):
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()


def _make_room(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise UsageError(str(path), "", "this is no socket; move it away")
    try:
        connect_socket(path).close()
    except (ConnectionRefusedError, FileNotFoundError):
        with suppress(FileNotFoundError):
            path.unlink()
    except OSError as error:
        raise UsageError(str(path), "", f"cannot be looked at ({error.strerror})") from error
    else:
        raise ControlError(path.stem, "an engine of this name runs already; see: fairlead status")


@contextmanager
def _address(path: Path) -> Iterator[str]:
    # A socket's address has room for a hundred characters; a path may be longer, and is then
    # reached through its open folder where the system shows those.
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
