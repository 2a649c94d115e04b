"""Say what a person may ask of a running engine, and read it from a line of JSON.

A request is one line: ``{"id": …, "command": "pause", "target": "alt"}``; its answer is one line
too: ``{"id": …, "ok": true, "result": {…}}``, or ``{"id": …, "ok": false, "error": "…", "code":
2}`` with the exit code that a command should end with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias, get_args

import msgspec

from fairlead.errors import ExitCode

__all__ = [
    "COMMANDS",
    "MOST_BYTES",
    "Answer",
    "Attach",
    "Balances",
    "CancelOrders",
    "Command",
    "Fills",
    "Flatten",
    "Orders",
    "Panic",
    "Pause",
    "Pnl",
    "Positions",
    "Query",
    "Reduce",
    "Refused",
    "Reply",
    "Request",
    "ResetPeak",
    "Resume",
    "Risk",
    "Status",
    "StopRun",
    "Strategy",
    "answer_line",
    "read_request",
    "request_line",
]

#: A request, its newline included, is no longer than this.
MOST_BYTES = 16_384

_Text = Annotated[str, msgspec.Meta(max_length=200)]
_LONGEST_ERROR = 500
_LONGEST_ORIGIN = 40


class _Command(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="command"
):
    """The base of every command; its tag is the command's name."""


class Status(_Command, frozen=True, tag="status"):
    """How it goes: phase, posture, books, strategies."""


class Orders(_Command, frozen=True, tag="orders"):
    """Every order of ours that may still fill."""


class Positions(_Command, frozen=True, tag="positions"):
    """What is held on each market, and what is steered to."""


class Balances(_Command, frozen=True, tag="balances"):
    """What each venue says that we have."""


class Pnl(_Command, frozen=True, tag="pnl"):
    """What each strategy has earned, part by part."""


class Fills(_Command, frozen=True, tag="fills"):
    """The last fills, newest first."""

    last: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 20


class Risk(_Command, frozen=True, tag="risk"):
    """What each risk rule measures, restrains and has done."""


class Attach(_Command, frozen=True, tag="attach"):
    """What the live view shows now."""


class Pause(_Command, frozen=True, tag="pause"):
    """Pull the quotes of a strategy or a market ("" = all) until they are resumed."""

    target: _Text = ""


class Resume(_Command, frozen=True, tag="resume"):
    """Let a strategy or a market ("" = all) quote again, and end a reduce-only by hand."""

    target: _Text = ""


class Reduce(_Command, frozen=True, tag="reduce"):
    """Let no order grow a position, until it is taken back or everything is resumed."""

    on: bool = True


class ResetPeak(_Command, frozen=True, tag="reset_peak"):
    """Let the peak that drawdown is measured from be where the account stands now."""


class CancelOrders(_Command, frozen=True, tag="cancel"):
    """Cancel one order, those of a market, or all (""); what is wished is placed anew."""

    target: _Text = ""


class Flatten(_Command, frozen=True, tag="flatten"):
    """Hold a market's strategies and bring its position to the target, or to zero."""

    market: _Text
    #: How far from the mid of now no order may be priced, e.g. "0.3%" or "30 bps".
    max_slippage: _Text
    to: _Text = "target"


class Strategy(_Command, frozen=True, tag="strategy"):
    """Add, remove or reload a strategy from the configuration file, at the next tick."""

    change: _Text
    name: _Text


class Panic(_Command, frozen=True, tag="panic"):
    """Cancel everything at once, and halt."""

    reason: _Text = ""


class StopRun(_Command, frozen=True, tag="stop"):
    """Stop clean, with proof."""


#: What only looks.
Query: TypeAlias = Status | Orders | Positions | Balances | Pnl | Fills | Risk | Attach
#: Everything that a person may ask.
Command: TypeAlias = (
    Query
    | Pause
    | Resume
    | Reduce
    | ResetPeak
    | CancelOrders
    | Flatten
    | Strategy
    | Panic
    | StopRun
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a command."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a command was not done, in one line."""

    reason: str
    code: ExitCode = ExitCode.USAGE


#: Takes what came of a command, now or later, once.
Reply: TypeAlias = Callable[[Answer | Refused], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it came over the socket: its number there, and who says so."""

    id: int
    origin: str
    command: Command


#: Every command by its name.
COMMANDS: Mapping[str, type[Command]] = {
    str(cls.__struct_config__.tag): cls for cls in get_args(Command)
}


def read_request(line: bytes) -> Request:
    """Read a request.

    :raises ValueError: with one line for whoever sent it, when it is none.
    """
    try:
        data = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("this is no JSON; send one object on one line") from error
    if not isinstance(data, dict):
        raise ValueError("send an object with id and command")  # noqa: TRY004 - one kind of error
    number, origin = data.pop("id", 0), data.pop("from", "")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 53:
        raise ValueError("id: send a whole number")
    if not isinstance(origin, str) or len(origin) > _LONGEST_ORIGIN:
        raise ValueError(f"from: send a text of at most {_LONGEST_ORIGIN} characters")
    name = data.pop("command", None)
    kind = COMMANDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"unknown command; there are: {', '.join(sorted(COMMANDS))}")
    try:
        return Request(number, origin, msgspec.convert(data | {"command": name}, kind))
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error


def request_line(number: int, origin: str, command: Command) -> bytes:
    """Write a request, its newline included."""
    return _encoder.encode({"id": number, "from": origin} | msgspec.to_builtins(command)) + b"\n"


def answer_line(number: int, answer: Answer | Refused) -> bytes:
    """Write an answer, its newline included; decimals become texts."""
    match answer:
        case Answer(result=result):
            tree: dict[str, Any] = {"id": number, "ok": True, "result": result}
        case Refused(reason=reason, code=code):
            text = " ".join(reason.split())[:_LONGEST_ERROR]
            tree = {"id": number, "ok": False, "error": text, "code": int(code)}
    return _encoder.encode(tree) + b"\n"


_encoder = msgspec.json.Encoder()
