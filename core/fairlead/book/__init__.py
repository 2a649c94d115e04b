"""Hold order books: apply snapshots and diffs, and say whether what is held can be trusted."""

from fairlead.book.depth import Depth, Walk
from fairlead.book.sequence import (
    BINANCE_COINM,
    BINANCE_SPOT,
    BINANCE_USDM,
    CONTIGUOUS,
    ConsecutiveIds,
    LinkedIds,
    Sequel,
    SequenceRule,
)

__all__ = [
    "BINANCE_COINM",
    "BINANCE_SPOT",
    "BINANCE_USDM",
    "CONTIGUOUS",
    "ConsecutiveIds",
    "Depth",
    "LinkedIds",
    "Sequel",
    "SequenceRule",
    "Walk",
]
