"""Break one guard of the engine on purpose, for as long as a simulation runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

__all__ = ["Mutation", "Plant", "planted"]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One function replaced by a worse one: ``make`` gets the right one and gives the wrong one.

    ``owner`` is the class that defines it, or the module that calls it by that name.
    """

    owner: type | ModuleType
    name: str
    make: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Plant:
    """A planted bug: its name, a sentence on what is broken, and how."""

    name: str
    meaning: str
    mutations: tuple[Mutation, ...]


@contextmanager
def planted(plant: Plant | None) -> Iterator[None]:
    """Plant a bug for the length of a block; None = nothing is touched."""
    before: list[tuple[type | ModuleType, str, Any]] = []
    try:
        for mutation in () if plant is None else plant.mutations:
            right = vars(mutation.owner)[mutation.name]
            before.append((mutation.owner, mutation.name, right))
            setattr(mutation.owner, mutation.name, mutation.make(right))
        yield
    finally:
        for owner, name, right in reversed(before):
            setattr(owner, name, right)
