"""Hold order books: apply snapshots and diffs, and say whether what is held can be trusted."""

__all__: list[str] = []
