"""Keep the books: what every strategy earned, what the account is worth, how good fills were."""

from fairlead.ledger.account import AccountLedger, AccountSample, AssetFlow
from fairlead.ledger.arithmetic import exactly
from fairlead.ledger.cost import CostBook
from fairlead.ledger.estimate import Estimate, IncrementSeries, WeightedMean, student_95
from fairlead.ledger.mark import Marks, Rate
from fairlead.ledger.markout import (
    HORIZONS,
    REPORT_HORIZONS,
    MarkoutResult,
    MarkoutStatistics,
    MarkoutTracker,
)
from fairlead.ledger.nav import Drawdown, Nav
from fairlead.ledger.pnl import BookedFill, PnlBook, PnlParts
from fairlead.ledger.report import (
    IdentityBrokenError,
    OrderCounts,
    Report,
    RunFacts,
    build_report,
)
from fairlead.ledger.strategy import FillTotals, StrategyLedger, StrategyTerms
from fairlead.ledger.uptime import Obligation, Uptime

__all__ = [
    "HORIZONS",
    "REPORT_HORIZONS",
    "AccountLedger",
    "AccountSample",
    "AssetFlow",
    "BookedFill",
    "CostBook",
    "Drawdown",
    "Estimate",
    "FillTotals",
    "IdentityBrokenError",
    "IncrementSeries",
    "MarkoutResult",
    "MarkoutStatistics",
    "MarkoutTracker",
    "Marks",
    "Nav",
    "Obligation",
    "OrderCounts",
    "PnlBook",
    "PnlParts",
    "Rate",
    "Report",
    "RunFacts",
    "StrategyLedger",
    "StrategyTerms",
    "Uptime",
    "WeightedMean",
    "build_report",
    "exactly",
    "student_95",
]
