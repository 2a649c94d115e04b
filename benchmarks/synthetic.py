"""Measure how fast the made-up markets are made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, rate
from fairlead.api import SourceContext
from fairlead.kernel import SeededIds
from fairlead.market import SyntheticSource

__all__ = ["figures"]


def figures() -> Iterator[Figure]:
    """Measure ten minutes of each preset."""
    for preset in ("midcap", "major"):

        def source(argument: str = f"{preset}?minutes=10") -> SyntheticSource:
            ids = SeededIds(7)
            return SyntheticSource(argument, SourceContext("bench", ids.random, Path(), {}))

        def making() -> None:
            for _ in source().events():
                pass

        count = sum(1 for _ in source().events())
        yield rate(f"make up synthetic:{preset}", "messages", count, making)
