"""Work admitted plans step by step: executors are pure state machines."""

from fairlead.execution.quotes import Outstanding, QuotesExecutor, QuotesState

__all__ = ["Outstanding", "QuotesExecutor", "QuotesState"]
