"""Offer the synthetic markets as a data source: ``synthetic:midcap``, ``synthetic:major``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairlead.api import MarketHint, SourceContext
from fairlead.book import CONTIGUOUS
from fairlead.market.synthetic.flow import FRAME_NS, OrderFlow
from fairlead.market.synthetic.preset import PRESETS, Preset
from fairlead.model import ConstantStep, MarketEvent, MarketId, Scale

__all__ = ["START_NS", "SyntheticSource"]

#: When every synthetic market opens: 2026-01-01T00:00:00Z.
START_NS = 1_767_225_600_000_000_000
_MINUTE_NS = 60_000_000_000
_MOST_MINUTES = 7 * 24 * 60
_ARGUMENT = re.compile(r"(?P<preset>[^?]*)(\?minutes=(?P<minutes>[0-9]{1,5}))?")


class SyntheticSource:
    """A market that does not exist, the same for the same seed.

    The argument is a preset's name, and may set how long the market lasts:
    ``midcap?minutes=120`` (1 to 10080 minutes; 30 when nothing is said). Both times of an event
    are the same: the market has no latency of its own, the venue that plays it adds it.

    :raises ValueError: when there is no such preset or option; the text says what would be right.
    """

    def __init__(self, argument: str, context: SourceContext) -> None:
        self._preset, minutes = _parse(argument)
        self._context = context
        self._duration_ns = minutes * _MINUTE_NS

    @property
    def name(self) -> str:
        """Name the preset as the configuration does."""
        return f"synthetic:{self._preset.name}"

    @property
    def duration_ns(self) -> int:
        """Say how long the market lasts."""
        return self._duration_ns

    @property
    def starts_ns(self) -> int:
        """Say when it begins: always at the same instant."""
        return START_NS

    def market(self) -> MarketHint:
        """Describe the market that the preset makes."""
        preset = self._preset
        return MarketHint(
            symbol=f"{preset.base}/{preset.quote}",
            base=preset.base,
            quote=preset.quote,
            scale=_scale(preset),
            grid=ConstantStep(preset.tick),
            lot=preset.lot,
            min_quantity=preset.min_quantity,
            min_notional=preset.min_notional,
            sequence=CONTIGUOUS,
        )

    def events(self) -> Iterator[MarketEvent]:
        """Give a snapshot, then prints, best quotes and ten diffs a second; flat memory."""
        preset, context = self._preset, self._context
        market = MarketId(context.venue, f"{preset.base}/{preset.quote}")
        flow = OrderFlow(preset, market, _scale(preset), context.random)
        yield from flow.open(START_NS)
        for start_ns in range(START_NS, START_NS + self._duration_ns, FRAME_NS):
            yield from flow.frame(start_ns)


def _parse(argument: str) -> tuple[Preset, int]:
    names = " or ".join(f'"{name}"' for name in PRESETS)
    match = _ARGUMENT.fullmatch(argument)
    preset = PRESETS.get(match["preset"]) if match else None
    if match is None or preset is None:
        raise ValueError(
            f"no synthetic market {argument!r}: write {names}, "
            'or give it a length as in "midcap?minutes=120"'
        )
    minutes = int(match["minutes"] or preset.minutes)
    if not 1 <= minutes <= _MOST_MINUTES:
        raise ValueError(f"{minutes} minutes: write 1 to {_MOST_MINUTES}")
    return preset, minutes


def _scale(preset: Preset) -> Scale:
    # Tick and lot are powers of ten, so an integer price is a count of ticks.
    return Scale(-int(preset.tick.as_tuple().exponent), -int(preset.lot.as_tuple().exponent))
