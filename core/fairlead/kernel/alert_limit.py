"""Keep alerts readable: the first of a kind at once, its repetitions as one summary a while later.

For each kind at most one alert leaves in a window, and one more when a graver one of the kind
comes. What is held back is counted, and the summary at the window's end tells how many there were
and what the last one said; so nothing is lost but the wording of those in between.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from fairlead.api import Alert

__all__ = ["AlertLimit"]

_WINDOW_NS = 300_000_000_000
# Kinds are few by nature; should a plugin invent them, the oldest is forgotten.
_MOST_KINDS = 1_000


@dataclass(slots=True)
class _Window:
    until_ns: int
    gravest: int
    held: Alert | None = None
    count: int = 0


class AlertLimit:
    """One window for each kind of alert."""

    def __init__(self, window_ns: int = _WINDOW_NS) -> None:
        self._window_ns = window_ns
        self._windows: dict[str, _Window] = {}

    def offer(self, alert: Alert) -> Alert | None:
        """Give the alert when it may leave now; None = it is held and counted."""
        window = self._windows.get(alert.name)
        if window is None:
            if len(self._windows) >= _MOST_KINDS:
                del self._windows[next(iter(self._windows))]
            self._windows[alert.name] = _Window(alert.at_ns + self._window_ns, alert.severity.rank)
            return alert
        if alert.severity.rank > window.gravest:
            window.gravest = alert.severity.rank
            return alert
        window.held, window.count = alert, window.count + alert.count
        return None

    def due(self, now_ns: int) -> tuple[Alert, ...]:
        """Give the summaries of the windows that have ended, and begin new ones for them."""
        summaries = []
        for name, window in list(self._windows.items()):
            if now_ns < window.until_ns:
                continue
            if window.held is None:
                del self._windows[name]
                continue
            summaries.append(_summary(window))
            self._windows[name] = _Window(now_ns + self._window_ns, window.gravest)
        return tuple(summaries)

    def rest(self) -> tuple[Alert, ...]:
        """Give everything that is held, as summaries: the run is over."""
        held = [window for window in self._windows.values() if window.held is not None]
        self._windows.clear()
        return tuple(_summary(window) for window in held)


def _summary(window: _Window) -> Alert:
    if window.held is None:
        raise ValueError("nothing was held")
    return msgspec.structs.replace(window.held, count=window.count)
