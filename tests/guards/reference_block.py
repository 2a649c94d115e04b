"""Write the parts of hand-written pages that come from the code: tables between two comments.

A block begins with ``<!-- begin NAME: … -->`` and ends with ``<!-- end NAME -->``.
"""

import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Union, get_args, get_origin

import msgspec

from fairlead.api import ExecutionResult, Gate, LegResult, Offer, Offers
from fairlead.errors import ExitCode
from fairlead.model import CLOSED_STATES, TRANSITIONS, OrderState, Reason
from fairlead.store import RECORDS, AdmittedLeg

__all__ = ["blocks_of", "with_blocks"]

#: How a field's type is written in a trace.
WRITTEN: Mapping[object, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Decimal: "decimal as text",
    Gate: "gate",
    AdmittedLeg: "leg",
    ExecutionResult: "execution result",
    LegResult: "leg result",
    Reason: "reason",
}


def with_blocks(page: str, blocks: Mapping[str, str]) -> str:
    """Give the page with the text of each of its blocks renewed.

    :raises ValueError: when the page has a block that nothing writes.
    """

    def renewed(found: re.Match[str]) -> str:
        if found["name"] not in blocks:
            raise ValueError(f"no block of the name {found['name']}")
        return f"{found['begin']}\n\n{blocks[found['name']].strip()}\n\n{found['end']}"

    pattern = r"(?P<begin><!-- begin (?P<name>\w+):[^>]*-->).*?(?P<end><!-- end (?P=name) -->)"
    return re.sub(pattern, renewed, page, flags=re.DOTALL)


def blocks_of(offers: Offers) -> dict[str, str]:
    """Give every block by its name."""
    return {
        "transitions": "\n".join(_transitions()),
        "records": "\n".join(_records()),
        "reason": "\n".join(_fields(Reason)),
        "gate": "\n".join(_fields(Gate)),
        "admitted_leg": "\n".join(_fields(AdmittedLeg)),
        "execution_result": "\n".join(_fields(ExecutionResult)),
        "leg_result": "\n".join(_fields(LegResult)),
        "exit_codes": ", ".join(f"{code.value} `{code.name}`" for code in ExitCode),
        **{f"offers_{plugin}": text for plugin, text in _offers(offers).items()},
    }


def _transitions() -> Iterator[str]:
    yield "| From | What happens | To |"
    yield "|---|---|---|"
    for state in OrderState:
        rows = [(cause, after) for (before, cause), after in TRANSITIONS.items() if before is state]
        for cause, after in rows:
            shown = "stays" if after is state else f"`{after}`"
            closed = " (closed)" if state in CLOSED_STATES else ""
            yield f"| `{state}`{closed} | {cause.replace('_', ' ')} | {shown} |"
        if not rows:
            yield f"| `{state}` (closed) | nothing | |"


def _records() -> Iterator[str]:
    for kind in sorted(RECORDS):
        record = RECORDS[kind]
        about = " ".join((inspect.getdoc(record) or "").split()).replace("``", "`")
        kept = "database and trace" if record.stored else "trace only"
        yield from (f"### `{kind}`", "", f"{about} Kept in: {kept}.", "", *_fields(record), "")


def _fields(record: type[msgspec.Struct]) -> list[str]:
    hints = typing.get_type_hints(record)
    rows = [
        f"| `{field.encode_name}` | {_written(hints[field.name])} |"
        for field in msgspec.structs.fields(record)
    ]
    return ["| Field | Written as |", "|---|---|", *rows]


def _written(annotation: Any) -> str:  # noqa: ANN401 - whatever a field is annotated with
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, types.UnionType}:
        parts = [_written(one) for one in arguments if one is not type(None)]
        return " or ".join([*parts, "null"] if type(None) in arguments else parts)
    if origin is tuple:
        return f"list of {_written(arguments[0])}s"
    if origin is dict:
        return f"table of {_written(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        if len(annotation) > 6:
            return f"one of the {len(annotation)} {annotation.__name__} values"
        return " or ".join(f'`"{choice}"`' for choice in annotation)
    return WRITTEN[annotation]


def _offers(offers: Offers) -> dict[str, str]:
    tables: Mapping[str, Mapping[str, Offer[Any, Any]]] = {
        "connector": offers.connectors,
        "data source": offers.sources,
        "controller": offers.controllers,
        "risk rule": offers.rules,
        "notifier": offers.notifiers,
    }
    rows: dict[str, list[str]] = {}
    for kind, table in tables.items():
        for offer in table.values():
            row = f"| {kind} | `{offer.name}` | {offer.summary} |"
            rows.setdefault(offer.plugin, []).append(row)
    head = ["| Offer | Name | What it is |", "|---|---|---|"]
    return {plugin: "\n".join([*head, *listed]) for plugin, listed in rows.items()}
