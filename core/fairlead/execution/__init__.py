"""Work admitted plans step by step: executors are pure state machines."""

from fairlead.execution.exit import EXIT_LEVEL, ExitEnd, ExitExecutor, ExitPlan, ExitState
from fairlead.execution.quotes import Outstanding, QuotesExecutor, QuotesState

__all__ = [
    "EXIT_LEVEL",
    "ExitEnd",
    "ExitExecutor",
    "ExitPlan",
    "ExitState",
    "Outstanding",
    "QuotesExecutor",
    "QuotesState",
]
