"""Simulate a market: matching, synthetic flow and recorded readers shared by paper and backtest."""

from fairlead.market.synthetic import (
    FRAME_NS,
    MAJOR,
    MIDCAP,
    PRESETS,
    START_NS,
    OrderFlow,
    Preset,
    Sizes,
    SyntheticSource,
)

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
