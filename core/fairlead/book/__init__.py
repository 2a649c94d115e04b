"""Hold order books: apply snapshots and diffs, and say whether what is held can be trusted."""

from fairlead.book.book import (
    Book,
    BookCounters,
    BookResult,
)
from fairlead.book.depth import (
    Depth,
    Walk,
)
from fairlead.book.ladder import (
    Ladder,
    LadderMaker,
    SortedLadder,
)
from fairlead.book.selfcheck import (
    SelfCheck,
    Top,
    WrongTop,
)
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
from fairlead.book.view import (
    DecimalView,
)

__all__ = [
    "BINANCE_COINM",
    "BINANCE_SPOT",
    "BINANCE_USDM",
    "CONTIGUOUS",
    "Book",
    "BookCounters",
    "BookResult",
    "ConsecutiveIds",
    "DecimalView",
    "Depth",
    "Ladder",
    "LadderMaker",
    "LinkedIds",
    "SelfCheck",
    "Sequel",
    "SequenceRule",
    "SortedLadder",
    "Top",
    "Walk",
    "WrongTop",
]
