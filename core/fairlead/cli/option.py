"""Read what options are given, and say in one line what would be right."""

from __future__ import annotations

from fairlead.api import Duration
from fairlead.errors import UsageError

__all__ = ["duration_ns"]


def duration_ns(option: str, text: str | None) -> int | None:
    """Read a duration such as "10 min"; None when the option was not given.

    :raises UsageError: when it is no duration.
    """
    if text is None:
        return None
    try:
        return Duration.parse(text).ns
    except ValueError as error:
        raise UsageError(option, text, str(error)) from error
