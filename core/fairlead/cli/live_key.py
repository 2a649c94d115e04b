"""Say what the keys of a live view do, in the terminal of the run and in any other."""

from __future__ import annotations

from dataclasses import replace

from fairlead.cli.live import LiveEvent, LiveState
from fairlead.kernel.control import BY_HAND
from fairlead.kernel.control_command import (
    CancelOrders,
    Command,
    Panic,
    Pause,
    Reduce,
    Resume,
    StopRun,
)

__all__ = ["Pin", "key_commands"]

# For so many refreshes an explanation stands above whatever happens meanwhile.
_PINNED = 40


def key_commands(key: str, state: LiveState) -> tuple[Command, ...]:
    """Give what a key asks of the engine that is seen; nothing for one that means nothing to it.

    ``p`` and ``r`` take back what they did: what is seen decides.
    """
    match key:
        case "p":
            paused = tuple(Resume(one.name) for one in state.strategies if one.paused)
            return paused or (Pause(),)
        case "r":
            return (Reduce(on=state.posture_rule != BY_HAND),)
        case "c":
            return (CancelOrders(),)
        case "K":
            return (Panic(),)
        case "q":
            return (StopRun(),)
        case _:
            return ()


class Pin:
    """Keeps an explanation on top of the events for a while."""

    def __init__(self) -> None:
        self._event = LiveEvent(0, "")
        self._left = 0

    def explain(self, state: LiveState) -> None:
        """Pin the explanation of the last fill."""
        self._event = LiveEvent(state.elapsed_ns, state.explanation, "bold cyan")
        self._left = _PINNED

    def on(self, state: LiveState) -> LiveState:
        """Give the state with what is pinned now."""
        if not self._left:
            return state
        self._left -= 1
        return replace(state, events=(self._event, *state.events))
