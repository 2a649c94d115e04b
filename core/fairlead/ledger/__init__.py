"""Keep the books: what every strategy earned, what the account is worth, how good fills were."""

from fairlead.ledger.account import AccountLedger, AccountSample, AssetFlow
from fairlead.ledger.arithmetic import exactly
from fairlead.ledger.cost import CostBook
from fairlead.ledger.estimate import Estimate, IncrementSeries, WeightedMean, student_95
from fairlead.ledger.mark import Marks, Rate
from fairlead.ledger.markout import (
    HORIZONS,
    REPORT_HORIZONS,
    MarkoutPoint,
    MarkoutResult,
    MarkoutStatistics,
    MarkoutTracker,
)
from fairlead.ledger.memory import AccountMemory
from fairlead.ledger.nav import Drawdown, Nav, NavState
from fairlead.ledger.pnl import BookedFill, PnlBook, PnlParts
from fairlead.ledger.report import (
    IdentityBrokenError,
    OrderCounts,
    PlanFact,
    Report,
    RequestFacts,
    RunFacts,
    build_report,
)
from fairlead.ledger.strategy import FillTotals, StrategyLedger, StrategyTerms
from fairlead.ledger.trade import TradeBook
from fairlead.ledger.uptime import Obligation, Uptime

__all__ = [
    "HORIZONS",
    "REPORT_HORIZONS",
    "AccountLedger",
    "AccountMemory",
    "AccountSample",
    "AssetFlow",
    "BookedFill",
    "CostBook",
    "Drawdown",
    "Estimate",
    "FillTotals",
    "IdentityBrokenError",
    "IncrementSeries",
    "MarkoutPoint",
    "MarkoutResult",
    "MarkoutStatistics",
    "MarkoutTracker",
    "Marks",
    "Nav",
    "NavState",
    "Obligation",
    "OrderCounts",
    "PlanFact",
    "PnlBook",
    "PnlParts",
    "Rate",
    "Report",
    "RequestFacts",
    "RunFacts",
    "StrategyLedger",
    "StrategyTerms",
    "TradeBook",
    "Uptime",
    "WeightedMean",
    "build_report",
    "exactly",
    "student_95",
]
