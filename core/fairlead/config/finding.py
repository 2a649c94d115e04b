"""Turn what a model refuses into sentences that say what would be right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fairlead.config.raw import KeyPath, RawConfig, dotted
from fairlead.errors import Finding

__all__ = ["MASK", "finding", "is_secret", "listed", "meant", "refusals", "written"]

#: Stands for what must not be seen.
MASK = "***"

_LONGEST_VALUE = 60
_MOST_NAMES = 20
_SECRET = re.compile(r"(^|_)(secret|password|passphrase|token|(api|private)_?key)s?($|_)", re.I)
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")

_A_TABLE = "write a table of keys, e.g. {{ key = … }}"

#: The kind of error → what would be right; braces take the error's own figures.
_EXPECTED = {
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "decimal_parsing": 'write an exact number as a text, e.g. "0.001"',
    "decimal_type": 'write an exact number as a text, e.g. "0.001"',
    "dict_type": _A_TABLE,
    "enum": "write {expected}",
    "finite_number": "write a finite number",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "frozen_set_type": 'write a list, e.g. ["a", "b"]',
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "write a whole number",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": 'write a list, e.g. ["a", "b"]',
    "literal_error": "write {expected}",
    "mapping_type": _A_TABLE,
    "model_attributes_type": _A_TABLE,
    "model_type": _A_TABLE,
    "multiple_of": "must be a multiple of {multiple_of}",
    "set_type": 'write a list, e.g. ["a", "b"]',
    "string_pattern_mismatch": "write a text of the form {pattern}",
    "string_too_long": "write at most {max_length} characters",
    "string_too_short": "write at least {min_length} characters",
    "string_type": "write a text in quotes",
    "too_long": "write at most {max_length} of them",
    "too_short": "write at least {min_length} of them",
    "tuple_type": 'write a list, e.g. ["a", "b"]',
}


def finding(raw: RawConfig, path: KeyPath, expected: str, value: object = None) -> Finding:
    """Make a finding about the value at ``path``; the value is shown unless it is None."""
    hidden = value is not None and any(is_secret(part) for part in path)
    text = MASK if hidden else written(value)
    return Finding(raw.place(path), dotted(path), text, expected)


def is_secret(key: str | int) -> bool:
    """Tell whether a key's name says that its value is nobody's business."""
    return _SECRET.search(str(key)) is not None


def refusals(
    error: ValidationError, model: type[BaseModel], raw: RawConfig, path: KeyPath, data: object
) -> list[Finding]:
    """Say what a model refuses, one finding for each key.

    :param path: where ``data``, which the model was given, stands in the configuration.
    """
    found: dict[KeyPath, tuple[object, list[str]]] = {}
    for detail in error.errors(include_url=False):
        keys, value = _locate(detail, data)
        _, expected = found.setdefault(keys, (value, []))
        sentence = _sentence(detail, model, keys)
        if sentence not in expected:
            expected.append(sentence)
    return [
        finding(raw, (*path, *keys), ", or ".join(expected), value)
        for keys, (value, expected) in found.items()
    ]


def meant(wrong: str, known: Iterable[str], what: str = "known here") -> str:
    """Suggest the nearest of the known names, or else list them."""
    names = list(known)
    close = get_close_matches(wrong, names, 1)
    return f"did you mean {close[0]!r}?" if close else listed(names, what)


def listed(known: Iterable[str], what: str) -> str:
    """List the known names, the first twenty of them."""
    names = list(known)
    shown = ", ".join(names[:_MOST_NAMES]) or "nothing"
    return f"{what}: {shown}{' …' if len(names) > _MOST_NAMES else ''}"


def written(value: object) -> str:
    """Write a value as it would stand in the file, in one short line; nothing for None."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = _CREDENTIALS.sub("***@", text)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _locate(detail: ErrorDetails, data: object) -> tuple[KeyPath, object]:
    # The location also names the members of a union, which nobody wrote: only keys that lead
    # through the data count, and the last one of what is missing.
    keys: list[str | int] = []
    node = data
    for part in detail["loc"]:
        if (isinstance(node, Mapping) and part in node) or (
            isinstance(node, Sequence) and isinstance(part, int) and part < len(node)
        ):
            node = node[part]  # type: ignore[index]  # the line above has looked
            keys.append(part)
    if detail["type"] == "missing":
        return (*keys, detail["loc"][-1]), None
    return tuple(keys), node if keys else None


def _sentence(detail: ErrorDetails, model: type[BaseModel], keys: KeyPath) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return f"is missing; {_wanted(model, keys)}"
    if kind == "extra_forbidden":
        if is_secret(keys[-1]):
            return "secrets are never in the file"
        known = [name for owner in _owners(model, keys[:-1]) for name in _names(owner)]
        return f"unknown key; {meant(str(keys[-1]), known)}"
    if kind in {"value_error", "assertion_error"}:
        return str(context.get("error", detail["msg"])) or "is not accepted"
    if kind in _EXPECTED:
        return _EXPECTED[kind].format_map(context)
    return detail["msg"][:1].lower() + detail["msg"][1:]


def _wanted(model: type[BaseModel], keys: KeyPath) -> str:
    for owner in _owners(model, keys[:-1]):
        schema = owner.model_json_schema()
        wanted: dict[str, Any] = schema.get("properties", {}).get(keys[-1], {})
        if "$ref" in wanted:
            wanted |= schema["$defs"][wanted["$ref"].rpartition("/")[2]]
        if examples := wanted.get("examples"):
            return f"write one, e.g. {json.dumps(examples[0], ensure_ascii=False)}"
        if description := wanted.get("description"):
            return f"it tells {description}"
    return "write one"


def _names(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _owners(model: type[BaseModel], keys: KeyPath) -> list[type[BaseModel]]:
    """Find the models whose fields the table at ``keys`` holds."""
    owners = [model]
    for key in keys:
        below = [
            inner
            for owner in owners
            for name, field in owner.model_fields.items()
            if key in {name, field.alias}
            for inner in _models(field.annotation)
        ]
        # Otherwise a key of a mapping or an index: the models stay those of its values.
        owners = below or owners
    return owners


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
