"""Make up a market, seeded: orders that arrive around a price that only some of them know."""

from fairlead.market.synthetic.draw import CELLS, quantiles
from fairlead.market.synthetic.flow import FRAME_NS, OrderFlow
from fairlead.market.synthetic.ladder import FEWEST_LEVELS, SideLevels
from fairlead.market.synthetic.latent import LatentPrice
from fairlead.market.synthetic.makers import Makers
from fairlead.market.synthetic.preset import MAJOR, MIDCAP, PRESETS, Preset, Sizes
from fairlead.market.synthetic.source import START_NS, SyntheticSource
from fairlead.market.synthetic.takers import Takers

__all__ = [
    "CELLS",
    "FEWEST_LEVELS",
    "FRAME_NS",
    "MAJOR",
    "MIDCAP",
    "PRESETS",
    "START_NS",
    "LatentPrice",
    "Makers",
    "OrderFlow",
    "Preset",
    "SideLevels",
    "Sizes",
    "SyntheticSource",
    "Takers",
    "quantiles",
]
