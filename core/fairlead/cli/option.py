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
        duration = Duration.parse(text)
    except ValueError as error:
        raise UsageError(option, text, str(error)) from error
    if not duration.ns:
        raise UsageError(option, text, 'write a duration above zero, e.g. "10 min"')
    return duration.ns
