"""Draw how plans of two markets are worked, one market above the other.

From the repository root, in the project's environment::

    python -m benchmarks.execution_pair docs/images

Writes ``execution-NAME.svg`` for each plan of `STORIES`, from paper runs on synthetic markets.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.execution_picture import picture
from benchmarks.execution_run import work
from fairlead.api import Plan
from fairlead.api.plans import AtomicPlan, XemmPlan

__all__ = ["STORIES", "Pair", "main"]

_PLACES = ("main:ALT/USDT", "other:ALT/USDT")
_WIDTH, _HEIGHT = 720, 300


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture: a plan, its two venues, and what to call what is seen on each."""

    titles: tuple[str, str]
    executor: str
    plan: Plan
    venues: Mapping[str, Mapping[str, Any]]
    for_s: float
    around_s: float


def _venue(seed: int, *, orders: str = "40 ms", fees: tuple[str, str]) -> dict[str, str]:
    maker, taker = fees
    return {
        "source": '"synthetic:midcap"',
        "seed": str(seed),
        "balances": '{ ALT = "5000", USDT = "10000" }',
        "fees": f'{{ maker = "{maker}", taker = "{taker}" }}',
        "latency": f'{{ market_data = "20 ms", orders = "{orders}" }}',
    }


STORIES: Mapping[str, Pair] = {
    "atomic": Pair(
        (
            "atomic: 120 bought here, and what was not sold there given back",
            "the slow venue: 41 of 120 were still within the bound",
        ),
        "atomic",
        AtomicPlan.model_validate(
            {
                "legs": [
                    {"market": _PLACES[0], "side": "BUY", "quantity": "120"},
                    {"market": _PLACES[1], "side": "SELL", "quantity": "120"},
                ],
                "policy": "unwind",
                "max_slippage": "6 bps",
            }
        ),
        {
            "main": _venue(7, fees=("2 bps", "5 bps")),
            "other": _venue(27, orders="1200 ms", fees=("2 bps", "5 bps")),
        },
        for_s=110,
        around_s=6,
    ),
    "xemm": Pair(
        ("xemm: the quote, placed anew as the other market moves", "the hedges, fill by fill"),
        "xemm",
        XemmPlan.model_validate(
            {
                "maker_market": _PLACES[0],
                "taker_market": _PLACES[1],
                "maker_side": "BUY",
                "order_amount": "200",
                "min_profitability": "1 bps",
                "target_profitability": "4 bps",
                "max_profitability": "10 bps",
                "time_limit": "10 min",
            }
        ),
        {
            "main": _venue(7, fees=("0 bps", "5 bps")),
            "other": _venue(7, fees=("0 bps", "1 bps")),
        },
        for_s=700,
        around_s=20,
    ),
}


def main(folder: Path, names: Sequence[str]) -> None:
    """Run the named stories, or all, write their pictures and say how they ended."""
    for name in names or STORIES:
        pair = STORIES[name]
        story = work(pair.executor, pair.plan, pair.venues, for_s=pair.for_s)
        if story.ended is None:
            raise SystemExit(f"{name} did not end within {pair.for_s:g} s")
        panels = [
            picture(story, market, title, {}, pair.around_s)
            for market, title in zip(_PLACES, pair.titles, strict=True)
        ]
        drawn = _stacked(panels, pair.titles)
        (folder / f"execution-{name}.svg").write_text(drawn, encoding="utf-8")
        result = story.ended.result
        print(name, result.end, result.mode, result.notes, *result.legs, sep="\n  ")


def _stacked(panels: Sequence[str], titles: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT * len(panels)}"'
    parts = [f'{head} font-family="sans-serif" font-size="12" fill="#555">']
    parts.append(f"<title>{' / '.join(titles)}</title>")
    for row, panel in enumerate(panels):
        # Each panel is a picture of its own: its frame is left out, its place moved down.
        inside = re.sub(r"^<svg[^>]*>\n|</svg>\n$|<title>[^<]*</title>\n", "", panel, count=0)
        parts.append(f'<g transform="translate(0 {row * _HEIGHT})">\n{inside}</g>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
