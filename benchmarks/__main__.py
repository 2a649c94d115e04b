"""Measure the hot paths and print a table: ``make bench``, or ``python -m benchmarks [--json]``.

What needs the recorded market data is left out without it; ``FAIRLEAD_DATA`` names its folder.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import book, hedge, journal, main_job, order_path, placement, start, synthetic
from benchmarks.figure import Figure
from fairlead.model.numbers import install_context

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def _figures() -> Iterator[Figure]:
    data = Path(os.environ.get("FAIRLEAD_DATA") or _DATA)
    if (data / "binance_l2").is_dir():
        yield from main_job.figures(data)
        yield from book.figures(data)
    else:
        print(f"no recorded market data in {data}: left out what needs it", file=sys.stderr)
    yield from synthetic.figures()
    yield from journal.figures()
    yield from order_path.figures()
    yield from placement.figures()
    yield from hedge.figures()
    yield from start.figures()


def _main(as_json: bool) -> None:
    install_context()
    found = []
    for figure in _figures():
        found.append(figure)
        if not as_json:
            print(f"{figure.name:<50} {figure.value:>12,.0f} {figure.unit}", flush=True)
    if as_json:
        rows = [{"name": one.name, "value": one.value, "unit": one.unit} for one in found]
        print(json.dumps({"schema": 1, "python": platform.python_version(), "figures": rows}))


if __name__ == "__main__":
    _main("--json" in sys.argv[1:])
