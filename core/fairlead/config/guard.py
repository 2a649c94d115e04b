"""Keep live money behind limits that a person wrote down, and say what loosens them.

A limit counts as written when it stands in the file. What the environment or ``--set`` changes
under ``[risk]`` loosens it, unless the rule says which way is stricter and this is that way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from fairlead.api import Amount, Duration, Exact, Ratio, Share
from fairlead.config.finding import finding
from fairlead.config.raw import RawConfig, dotted
from fairlead.errors import Finding

__all__ = ["REQUIRED", "Loosened", "loosened", "unwritten"]

#: The limits without which nothing trades live.
REQUIRED = ("max_position", "max_order", "daily_loss", "max_drawdown")


@dataclass(frozen=True, slots=True)
class Loosened:
    """A limit that is looser than the file says: its key, both values, and who changed it."""

    key: str
    before: str
    after: str
    origin: str


def unwritten(raw: RawConfig) -> tuple[Finding, ...]:
    """Find the limits that no person has written into the file."""
    return tuple(
        finding(raw, ("risk", name), "live does not start before a person has written it here")
        for name in REQUIRED
        if not _in_file(raw, name)
    )


def loosened(
    raw: RawConfig, before: dict[str, BaseModel], after: dict[str, BaseModel]
) -> tuple[Loosened, ...]:
    """Say what the environment and ``--set`` loosen.

    :param before: the rules as the file alone has them; ``after`` = as they are in force.
    """
    return tuple(
        one
        for name, rule in after.items()
        if name in before
        for one in _changes(raw, name, before[name], rule)
    )


def _in_file(raw: RawConfig, name: str) -> bool:
    return ("risk", name) in raw.lines or any(path[:2] == ("risk", name) for path in raw.lines)


def _changes(raw: RawConfig, name: str, old: BaseModel, new: BaseModel) -> Iterator[Loosened]:
    higher = getattr(type(new), "stricter", "lower") == "higher"
    for key in type(new).model_fields:
        before, after = getattr(old, key, None), getattr(new, key)
        if before == after:
            continue
        if key == "limit" and type(before) is type(after):
            change = _size(after) - _size(before)
            if (change > 0) if higher else (change < 0):
                continue
        path = ("risk", name, key)
        yield Loosened(dotted(path), str(before), str(after), raw.place(path))


def _size(value: Any) -> Decimal:  # noqa: ANN401 - whatever a limit is
    match value:
        case Duration(ns=ns):
            return Decimal(ns)
        case Amount() | Exact() | Ratio() | Share():
            return value.value
        case _:
            return Decimal(value) if isinstance(value, int) else Decimal(0)
