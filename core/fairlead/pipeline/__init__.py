"""Carry an order from wish to wire: rounding, diffing, risk checks and reservation."""

__all__: list[str] = []
