"""Name the five seams: the only ways by which the engine touches the world outside.

Clock, Ids, Transport, Store and Process each have a system and a virtual implementation. With
the virtual ones a whole engine and its venues run in one process, and the same seed gives the
same trace.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec
from typing_extensions import override

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = [
    "Clock",
    "Helper",
    "Ids",
    "Process",
    "Record",
    "Request",
    "Response",
    "Store",
    "Stream",
    "Timer",
    "Transport",
    "TransportError",
]


class Timer(Protocol):
    """A scheduled call that can be called off."""

    def cancel(self) -> None:
        """Call it off; without effect when it already ran."""


class Clock(Protocol):
    """The time, and waiting for it."""

    def now_ns(self) -> int:
        """Give nanoseconds since the epoch, as the wall shows them; may jump."""

    def monotonic_ns(self) -> int:
        """Give nanoseconds since some start, never going back; for durations."""

    async def sleep_ns(self, duration_ns: int) -> None:
        """Wait; returns on cancellation by raising it, with nothing left scheduled."""

    async def sleep_until_ns(self, at_ns: int) -> None:
        """Wait until `now_ns` has reached ``at_ns``; gives way at least once when it has."""

    def call_at_ns(self, at_ns: int, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` once `now_ns` has reached ``at_ns``, on the loop's own thread."""

    def advance_to_ns(self, at_ns: int) -> bool:
        """Tell whether the caller may go on as of ``at_ns`` without waiting.

        True when that time has come, or when the clock is virtual, nothing else is ready or due
        before it, and it has now jumped there. False: wait with `sleep_until_ns`.
        """


class Ids(Protocol):
    """Randomness, and everything that must be unlike anything made before."""

    def instance_tag(self) -> int:
        """Draw 30 random bits that tell one instance's orders from another's."""

    def random(self, purpose: str) -> Random:
        """Make a generator for one purpose; virtual: always the same one for the same seed."""


class Request(msgspec.Struct, frozen=True):
    """An HTTP request. ``headers`` may hold secrets and are never shown."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    #: The address itself is a secret, and is not shown either.
    private: bool = False

    @override
    def __repr__(self) -> str:
        shown = "***" if self.private else self.url.partition("?")[0]
        return f"Request({self.method} {shown})"


class Response(msgspec.Struct, frozen=True):
    """An HTTP answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """No answer. ``sent`` is False only when it is certain that nothing left this machine."""

    def __init__(self, cause: str, *, sent: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.sent = sent


class Stream(Protocol):
    """An open two-way stream of messages."""

    async def send(self, message: str | bytes) -> None:
        """Send one message. :raises TransportError: when the stream is gone."""

    async def receive(self) -> str | bytes:
        """Give the next message. :raises TransportError: when the stream is gone."""

    async def close(self) -> None:
        """Close it; without effect when it is closed."""


class Transport(Protocol):
    """Requests and streams to venues."""

    async def request(self, request: Request, *, timeout_ns: int) -> Response:
        """Send and wait for the answer. :raises TransportError: when none came in time."""

    async def connect(self, url: str, *, timeout_ns: int) -> Stream:
        """Open a stream. :raises TransportError: when it does not open in time."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """The base of all that the core journals; subclasses are append-only facts."""

    #: The record's name in the journal and in traces.
    kind: ClassVar[str] = "record"
    #: False: goes to the trace, not to the database.
    stored: ClassVar[bool] = True


class Store(Protocol):
    """Where the journal becomes durable. A commit makes a prefix of it durable, never a part."""

    def append(self, t_ns: int, record: Record) -> int:
        """Take a record in memory and give its sequence number; writes nothing yet."""

    def durable(self, seq: int) -> Awaitable[None]:
        """Wait until every record up to ``seq`` would survive.

        :raises StoreError: when the disk refuses; nothing appended since may be relied on.
        """

    def close(self) -> None:
        """Commit what is queued and let go of the disk."""


class Helper(Protocol):
    """Another process that we have started."""

    @property
    def running(self) -> bool:
        """Tell whether it still runs."""

    def sign(self) -> str:
        """Give its last sign of life, which changes while it is well; "" = none yet."""

    def end(self) -> None:
        """Ask it to end; without effect when it has."""

    def kill(self) -> None:
        """End it at once, whether it hangs or not; without effect when it has ended."""


class Process(Protocol):
    """The operating system's view of us: signals, identity, and the last resort for notes."""

    def identity(self) -> str:
        """Give a text that tells this process from others, for locks and messages."""

    def on_stop(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at each request to stop (SIGINT, SIGTERM); gives a call that ends this."""

    def on_kill(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at each request to halt (SIGUSR1); gives a call that ends this."""

    def write_marker(self, name: str, text: str) -> None:
        """Leave a small durable note beside the store, even when the store has failed."""

    def read_marker(self, name: str) -> str | None:
        """Give a note left earlier, or None."""

    def clear_marker(self, name: str) -> None:
        """Take a note away; without effect when there is none."""

    def beat(self, name: str, text: str) -> None:
        """Leave a note for other processes to see now; it need not survive a loss of power.

        :raises OSError: when it cannot be left.
        """

    def start_helper(self, arguments: Sequence[str], log: str, sign: str) -> Helper:
        """Start our own command with these arguments; what it says goes to the note ``log``.

        It leaves its signs of life in the note ``sign``, and outlives us, however we end.

        :raises OSError: when it cannot be started.
        """

    def interrupt(self, identity: str) -> bool:
        """Ask the process of that identity to halt; False = it is none of this machine's."""

    def lock(self, name: str) -> Callable[[], None] | None:
        """Take a lock that dies with this process; None = another process has it.

        Gives a call that lets go. `read_marker` of the same name gives the holder's identity.
        """
