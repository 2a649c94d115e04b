"""Simulate a market: matching, synthetic flow and recorded readers shared by paper and backtest."""

from fairlead.market.account import (
    Charge,
    Holding,
    Shortfall,
    SpotAccount,
)
from fairlead.market.decode import (
    BinanceDecoder,
    Integers,
    Raw,
    RawDiff,
    RawQuote,
    RawSnapshot,
    RawTrade,
    parse_binance,
)
from fairlead.market.exchange import (
    Answer,
    SpotExchange,
)
from fairlead.market.filters import (
    feed_integer,
    refused_by_rules,
)
from fairlead.market.matching import (
    Match,
    Matcher,
    Placement,
    Standing,
)
from fairlead.market.queue import (
    QueuedOrder,
    QueueModel,
)
from fairlead.market.recorded import (
    RecordedSource,
    Recording,
    recorded_source,
)
from fairlead.market.recorded_check import (
    RecordingCheck,
)
from fairlead.market.recorded_head import (
    BinanceKind,
    RecordingHead,
    read_recording_head,
)
from fairlead.market.recorded_lines import (
    RecordedLines,
)
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
    "Answer",
    "BinanceDecoder",
    "BinanceKind",
    "Charge",
    "Holding",
    "Integers",
    "Match",
    "Matcher",
    "OrderFlow",
    "Placement",
    "Preset",
    "QueueModel",
    "QueuedOrder",
    "Raw",
    "RawDiff",
    "RawQuote",
    "RawSnapshot",
    "RawTrade",
    "RecordedLines",
    "RecordedSource",
    "Recording",
    "RecordingCheck",
    "RecordingHead",
    "Shortfall",
    "Sizes",
    "SpotAccount",
    "SpotExchange",
    "Standing",
    "SyntheticSource",
    "feed_integer",
    "parse_binance",
    "read_recording_head",
    "recorded_source",
    "refused_by_rules",
]
