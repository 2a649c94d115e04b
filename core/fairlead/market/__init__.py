"""Simulate a market and link to real ones: what paper, backtest and live venues share."""

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
from fairlead.market.link import (
    AccountReplay,
    Backoff,
    BookFeed,
    ConnectBudget,
    LinkPolicy,
    LinkState,
    LinkStatus,
    LinkUser,
    Meaning,
    OutcomeRule,
    OutcomeTable,
    ReconnectingStream,
    RestLink,
    VenueTime,
    retry_after_ns,
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
    "AccountReplay",
    "Answer",
    "Backoff",
    "BinanceDecoder",
    "BinanceKind",
    "BookFeed",
    "Charge",
    "ConnectBudget",
    "Holding",
    "Integers",
    "LinkPolicy",
    "LinkState",
    "LinkStatus",
    "LinkUser",
    "Match",
    "Matcher",
    "Meaning",
    "OrderFlow",
    "OutcomeRule",
    "OutcomeTable",
    "Placement",
    "Preset",
    "QueueModel",
    "QueuedOrder",
    "Raw",
    "RawDiff",
    "RawQuote",
    "RawSnapshot",
    "RawTrade",
    "ReconnectingStream",
    "RecordedLines",
    "RecordedSource",
    "Recording",
    "RecordingCheck",
    "RecordingHead",
    "RestLink",
    "Shortfall",
    "Sizes",
    "SpotAccount",
    "SpotExchange",
    "Standing",
    "SyntheticSource",
    "VenueTime",
    "feed_integer",
    "parse_binance",
    "read_recording_head",
    "recorded_source",
    "refused_by_rules",
    "retry_after_ns",
]
