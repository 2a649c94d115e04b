"""Name what can go wrong in a simulation, how often, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fairlead.errors import UsageError

__all__ = ["FAULTS", "Fault", "FaultKind", "FaultRange", "chosen_faults"]

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE


class FaultKind(StrEnum):
    """A class of faults; each seed has each of them with probability one half."""

    # Requests and their answers.
    REFUSED = "refused"
    LOST_REQUEST = "lost_request"
    LOST_ANSWER = "lost_answer"
    LATE_LANDING = "late_landing"
    SLOW_ANSWER = "slow_answer"
    SERVER_ERROR = "server_error"
    LYING_ERROR = "lying_error"
    RATE_LIMIT = "rate_limit"
    VISIBILITY_LAG = "visibility_lag"
    UNLISTED_FILL = "unlisted_fill"
    LATE_FILL = "late_fill"
    # What the user stream says.
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    LOST_NEWS = "lost_news"
    LAGGING_BALANCE = "lagging_balance"
    # The market.
    SEQUENCE_GAP = "sequence_gap"
    PARTIAL_FILLS = "partial_fills"
    FILL_RACE = "fill_race"
    STALE_BOOK = "stale_book"
    # Streams and the venue as a whole.
    DROPPED_STREAM = "dropped_stream"
    MUTE_STREAM = "mute_stream"
    DAILY_CUT = "daily_cut"
    BAN = "ban"
    MAINTENANCE = "maintenance"
    # Clocks: the venue's, and our machine's.
    VENUE_CLOCK = "venue_clock"
    CLOCK_JUMP = "clock_jump"
    # Other hands on the account.
    EXTERNAL = "external"
    FOREIGN_ENGINE = "foreign_engine"
    # Our own machine.
    SLOW_DISK = "slow_disk"
    DISK_ERROR = "disk_error"
    CRASH = "crash"
    CRASH_AGAIN = "crash_again"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class FaultRange:
    """What is drawn for one class of faults; every range is drawn log-uniform.

    ``rate`` (probability for each request or message) makes it a weather that comes and goes;
    else it happens at instants ``gap_ns`` apart on average and lasts ``length_ns``.
    """

    meaning: str
    rate: tuple[float, float] | None = None
    gap_ns: tuple[int, int] = (0, 0)
    length_ns: tuple[int, int] = (0, 0)


#: What each class of faults is and how hard it may strike.
FAULTS: Mapping[FaultKind, FaultRange] = {
    FaultKind.REFUSED: FaultRange("the connection is refused", rate=(0.001, 0.1)),
    FaultKind.LOST_REQUEST: FaultRange("a request never arrives", rate=(0.003, 0.2)),
    FaultKind.LOST_ANSWER: FaultRange("it took effect, the answer is lost", rate=(0.003, 0.2)),
    FaultKind.LATE_LANDING: FaultRange("a request takes effect late", rate=(0.003, 0.2)),
    FaultKind.SLOW_ANSWER: FaultRange("news overtakes the answer", rate=(0.05, 0.5)),
    FaultKind.SERVER_ERROR: FaultRange("5xx without an effect", rate=(0.003, 0.2)),
    FaultKind.LYING_ERROR: FaultRange("5xx although it took effect", rate=(0.003, 0.2)),
    FaultKind.RATE_LIMIT: FaultRange("429 with Retry-After", rate=(0.003, 0.1)),
    FaultKind.VISIBILITY_LAG: FaultRange("a new order is not found at first", rate=(0.01, 0.5)),
    FaultKind.UNLISTED_FILL: FaultRange("a new fill is not listed at first", rate=(0.03, 1.0)),
    FaultKind.LATE_FILL: FaultRange("the venue learns late of a fill", rate=(0.02, 0.5)),
    FaultKind.DUPLICATE: FaultRange("news comes twice", rate=(0.01, 0.5)),
    FaultKind.REORDER: FaultRange("news is overtaken", rate=(0.1, 0.5)),
    FaultKind.LOST_NEWS: FaultRange("a gap in the user stream", rate=(0.001, 0.1)),
    FaultKind.LAGGING_BALANCE: FaultRange("balances are old", rate=(0.05, 0.5)),
    FaultKind.SEQUENCE_GAP: FaultRange("a book diff is lost", rate=(0.001, 0.05)),
    FaultKind.PARTIAL_FILLS: FaultRange("fills come in pieces", rate=(0.1, 1.0)),
    FaultKind.FILL_RACE: FaultRange(
        "an order fills while its create or cancel is under way", rate=(0.05, 0.5)
    ),
    FaultKind.STALE_BOOK: FaultRange(
        "the streams live, the book stands still",
        gap_ns=(3 * _MINUTE, 30 * _MINUTE),
        length_ns=(5 * _SECOND, 90 * _SECOND),
    ),
    FaultKind.DROPPED_STREAM: FaultRange(
        "a stream breaks", gap_ns=(1 * _MINUTE, 20 * _MINUTE), length_ns=(1, 1)
    ),
    FaultKind.MUTE_STREAM: FaultRange(
        "a stream answers pings and tells nothing", gap_ns=(2 * _MINUTE, 20 * _MINUTE)
    ),
    FaultKind.DAILY_CUT: FaultRange(
        "all streams are cut at once", gap_ns=(5 * _MINUTE, 60 * _MINUTE)
    ),
    FaultKind.BAN: FaultRange(
        "418 to everything",
        gap_ns=(5 * _MINUTE, 60 * _MINUTE),
        length_ns=(5 * _SECOND, 120 * _SECOND),
    ),
    FaultKind.MAINTENANCE: FaultRange(
        "503 to everything, orders may be cancelled",
        gap_ns=(5 * _MINUTE, 60 * _MINUTE),
        length_ns=(5 * _SECOND, 120 * _SECOND),
    ),
    FaultKind.VENUE_CLOCK: FaultRange(
        "the venue's clock is set",
        gap_ns=(5 * _MINUTE, 60 * _MINUTE),
        length_ns=(10 * _SECOND, 10 * _MINUTE),
    ),
    FaultKind.CLOCK_JUMP: FaultRange(
        "our wall clock is set",
        gap_ns=(10 * _SECOND, 20 * _MINUTE),
        length_ns=(5 * _SECOND, 2 * _MINUTE),
    ),
    FaultKind.EXTERNAL: FaultRange(
        "a person trades or moves money on the account", gap_ns=(2 * _MINUTE, 30 * _MINUTE)
    ),
    FaultKind.FOREIGN_ENGINE: FaultRange(
        "an order of another Fairlead", gap_ns=(15 * _MINUTE, 2 * _HOUR)
    ),
    FaultKind.SLOW_DISK: FaultRange(
        "commits take long",
        gap_ns=(2 * _MINUTE, 30 * _MINUTE),
        length_ns=(10 * _SECOND, 5 * _MINUTE),
    ),
    FaultKind.DISK_ERROR: FaultRange(
        "a write is refused, and all after it", gap_ns=(2 * _MINUTE, 20 * _MINUTE)
    ),
    FaultKind.CRASH: FaultRange("the process is killed", gap_ns=(1 * _MINUTE, 30 * _MINUTE)),
    FaultKind.CRASH_AGAIN: FaultRange(
        "the process is killed while it recovers", gap_ns=(2 * _MINUTE, 30 * _MINUTE)
    ),
    FaultKind.RESTART: FaultRange(
        "the process stops clean and starts again", gap_ns=(3 * _MINUTE, 40 * _MINUTE)
    ),
}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of a schedule; times count from the run's begin."""

    at_ns: int
    kind: FaultKind
    length_ns: int = 0
    #: For a weather its rate; else a draw from 0 to 1 that decides the details.
    draw: float = 0.0

    def describe(self) -> str:
        """Say it in one line."""
        minutes, seconds = divmod(self.at_ns / _SECOND, 60)
        text = f"{int(minutes):>3}:{seconds:06.3f} {self.kind}"
        if self.length_ns >= _MILLISECOND:
            text += f" for {self.length_ns / _SECOND:.1f} s"
        if FAULTS[self.kind].rate is not None:
            return f"{text} at {self.draw:.2%}"
        return f"{text} ({FAULTS[self.kind].meaning})"


def chosen_faults(text: str) -> tuple[FaultKind, ...]:
    """Read ``all``, ``none`` or a list such as ``crash,lost_answer``.

    :raises UsageError: for a name that is no fault.
    """
    if text == "all":
        return tuple(FaultKind)
    if text == "none":
        return ()
    return tuple(dict.fromkeys(_named(part.strip().replace("-", "_")) for part in _parts(text)))


def _parts(text: str) -> Iterable[str]:
    return text.split(",")


def _named(name: str) -> FaultKind:
    try:
        return FaultKind(name)
    except ValueError:
        known = ", ".join(FaultKind)
        raise UsageError("--faults", name, f"write all, none or a list of: {known}") from None
