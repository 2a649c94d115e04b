"""Offer the fairlead command: run, explain and inspect from the shell."""

__all__: list[str] = []
