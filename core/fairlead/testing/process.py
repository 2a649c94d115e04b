"""Be a process without an operating system: notes in memory, signals by call."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["VirtualHelper", "VirtualProcess"]


class VirtualHelper:
    """A process started in name only; ``running`` and ``hangs`` are the test's to change."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = tuple(arguments)
        self.running = True
        #: True: it gives no sign of life any more.
        self.hangs = False
        self._signs = 0

    def sign(self) -> str:
        """Give another sign than the last, unless it hangs."""
        self._signs += not self.hangs
        return str(self._signs)

    def kill(self) -> None:
        """End it."""
        self.running = False

    def end(self) -> None:
        """End it."""
        self.running = False


class VirtualProcess:
    """The virtual Process seam. ``markers`` outlive it: hand them to the process after a kill."""

    def __init__(
        self, identity: str = "virtual:1", *, markers: dict[str, str] | None = None
    ) -> None:
        self._identity = identity
        self._callbacks: list[Callable[[], None]] = []
        self._kills: list[Callable[[], None]] = []
        #: Notes by name, durable at once.
        self.markers: dict[str, str] = {} if markers is None else markers
        #: Lock name → who has it; hand it to the process after a kill, without the dead one's.
        self.locks: dict[str, str] = {}
        #: Every other process that was started, in order.
        self.helpers: list[VirtualHelper] = []
        #: Identities of the processes that were asked to halt.
        self.interrupted: list[str] = []
        #: True: the disk refuses notes too.
        self.refuses_markers = False

    def identity(self) -> str:
        """Give the name that the test gave."""
        return self._identity

    def on_stop(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at each `stop`; gives a call that ends this."""
        self._callbacks.append(callback)

        def end() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return end

    def on_kill(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at each `kill_switch`; gives a call that ends this."""
        self._kills.append(callback)

        def end() -> None:
            if callback in self._kills:
                self._kills.remove(callback)

        return end

    def kill_switch(self) -> None:
        """Ask the process to halt, as SIGUSR1 does."""
        for callback in tuple(self._kills):
            callback()

    def stop(self) -> None:
        """Ask the process to stop, as SIGTERM does."""
        for callback in tuple(self._callbacks):
            callback()

    def write_marker(self, name: str, text: str) -> None:
        """Keep a note. :raises OSError: while `refuses_markers`."""
        if self.refuses_markers:
            raise OSError(28, "No space left on device")
        self.markers[name] = text

    def read_marker(self, name: str) -> str | None:
        """Give a note, or who holds the lock of that name, or None."""
        return self.markers.get(name, self.locks.get(name))

    def clear_marker(self, name: str) -> None:
        """Forget a note."""
        self.markers.pop(name, None)

    def beat(self, name: str, text: str) -> None:
        """Keep a note. :raises OSError: while `refuses_markers`."""
        if self.refuses_markers:
            raise OSError(28, "No space left on device")
        self.markers[name] = text

    def start_helper(self, arguments: Sequence[str], log: str, sign: str) -> VirtualHelper:
        """Note that a process was to be started; it counts as running."""
        del log, sign  # it says nothing
        helper = VirtualHelper(arguments)
        self.helpers.append(helper)
        return helper

    def interrupt(self, identity: str) -> bool:
        """Note that another process was asked to halt."""
        self.interrupted.append(identity)
        return True

    def lock(self, name: str) -> Callable[[], None] | None:
        """Take a lock among the processes that share ``locks``; None = another has it."""
        if self.locks.setdefault(name, self._identity) != self._identity:
            return None

        def let_go() -> None:
            self.locks.pop(name, None)

        return let_go
