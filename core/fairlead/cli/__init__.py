"""Offer the fairlead command: run, explain and inspect from the shell."""

from fairlead.cli.main import main

__all__ = ["main"]
