"""Simulate a market: matching, synthetic flow and recorded readers shared by paper and backtest."""

__all__: list[str] = []
