"""Describe the plans of the shipped executors, so that a controller starts them by value."""

from fairlead.api.units import Market, Quantity

__all__ = ["Market", "Quantity"]
