"""Make a command's options of a plan's model, and the plan of what was written for them."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from fairlead.api import Duration, Plan, Ratio
from fairlead.errors import UsageError

__all__ = ["plan_from", "plan_options"]

_METAVARS: Mapping[object, str] = {Duration: "DURATION", Ratio: "RATIO", int: "NUMBER"}


def plan_options(model: type[Plan]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command an option for every field of a plan; those of a table in it are joined."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for keys, field in reversed(tuple(_fields(model, ()))):
            command = _option(keys, field)(command)
        return command

    return add


def plan_from(model: type[Plan], values: Mapping[str, Any]) -> Plan:
    """Build the plan of the options that were given.

    :raises UsageError: with the first thing that is wrong.
    """
    tree: dict[str, Any] = {}
    for keys, _ in _fields(model, ()):
        value = values["_".join(keys)]
        if value is None:
            continue
        table = tree
        for key in keys[:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = value
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        found = error.errors()[0]
        place = "-".join(str(part) for part in found["loc"]).replace("_", "-")
        text = found["msg"].removeprefix("Value error, ")
        value = found["input"] if isinstance(found["input"], str) else ""
        raise UsageError(f"--{place}" if place else model.__name__, value, text) from error


def _fields(
    model: type[BaseModel], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    for name, field in model.model_fields.items():
        kind = _kind(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fields(kind, (*above, name))
        else:
            yield (*above, name), field


def _option(keys: tuple[str, ...], field: FieldInfo) -> Callable[..., Any]:
    kind, name = _kind(field.annotation), "-".join(keys).replace("_", "-")
    text = (field.description or "").replace("`", "")
    given: dict[str, Any] = {"required": field.is_required() and len(keys) == 1}
    if kind is bool:
        return click.option(f"--{name}", "_".join(keys), is_flag=True, default=None, help=text)
    if not field.is_required() and field.default is not None:
        text = f"{text}  [default: {field.default}]"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        given["type"] = click.Choice([choice.value for choice in kind], case_sensitive=False)
    elif kind is int:
        given["type"] = click.INT
    given.setdefault("metavar", None if "type" in given else _metavar(kind, keys[-1]))
    return click.option(f"--{name}", "_".join(keys), help=text, **given)


def _metavar(kind: object, key: str) -> str:
    if key.endswith("market"):
        return "MARKET"
    return _METAVARS.get(kind, "NUMBER")


def _kind(annotation: Any) -> Any:  # noqa: ANN401 - whatever a field is annotated with
    # What is written for it, without what only decorates it and without None.
    origin = get_origin(annotation)
    if origin in {Union, types.UnionType}:
        return next(_kind(one) for one in get_args(annotation) if one is not type(None))
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    return str if origin is Literal else annotation
