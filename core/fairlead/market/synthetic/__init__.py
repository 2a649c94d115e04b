"""Make up a market, seeded: orders that arrive around a price that only some of them know."""

from fairlead.market.synthetic.flow import FRAME_NS, OrderFlow
from fairlead.market.synthetic.preset import MAJOR, MIDCAP, PRESETS, Preset, Sizes
from fairlead.market.synthetic.source import START_NS, SyntheticSource

__all__ = [
    "FRAME_NS",
    "MAJOR",
    "MIDCAP",
    "PRESETS",
    "START_NS",
    "OrderFlow",
    "Preset",
    "Sizes",
    "SyntheticSource",
]
