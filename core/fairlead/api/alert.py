"""Grade what a person should know."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Severity"]


class Severity(StrEnum):
    """How soon a person should look at an alert."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
