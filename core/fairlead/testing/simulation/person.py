"""Be the person who looks after an engine: goes reduce-only by hand, and looks at what was left.

What an execution leaves open restrains its market until a person has looked. This one looks
within seconds, so that trading goes on, and never in a hurry: an engine must hold out until then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fairlead.api import PostureLevel
from fairlead.kernel.control import BY_HAND
from fairlead.kernel.control_command import Reduce
from fairlead.testing.simulation.life import Life

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; generators are made by Ids

__all__ = ["Person"]

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
# From one reduce-only by hand to the next, and how long each lasts.
_BETWEEN_NS = (2 * _MINUTE, 12 * _MINUTE)
_HELD_NS = (5 * _SECOND, 60 * _SECOND)
# How soon what was left open is looked at.
_LOOK_NS = (2 * _SECOND, 15 * _SECOND)


class Person:
    """Tells engines what a person would; asked every second."""

    def __init__(
        self, draw: Random, now_ns: Callable[[], int], note: Callable[[str], None]
    ) -> None:
        self._draw = draw
        self._now_ns = now_ns
        self._note = note
        self._next_ns = now_ns() + draw.randint(*_BETWEEN_NS)
        self._until_ns = 0
        self._looks_ns = 0
        self._calm = False

    def calm_down(self) -> None:
        """Let everything go on as soon as possible: the faults are healed."""
        self._calm = True
        self._until_ns = 0

    def go_on(self) -> None:
        """Be as before again."""
        self._calm = False
        self._next_ns = self._now_ns() + self._draw.randint(*_BETWEEN_NS)

    def second(self, life: Life) -> None:
        """Look at the engine that runs, and tell it what comes to mind."""
        if not life.gate.alive or not life.engine_ready or life.control is None:
            return
        if life.control.phase != "running":
            return
        rules = self._restraints(life)
        now_ns = self._now_ns()
        if not self._calm and now_ns >= self._next_ns:
            self._until_ns = now_ns + self._draw.randint(*_HELD_NS)
            self._next_ns = self._until_ns + self._draw.randint(*_BETWEEN_NS)
        if now_ns < self._until_ns:
            if BY_HAND not in rules:
                self._tell(life, on=True)
        elif BY_HAND in rules:
            self._tell(life, on=False)
        elif any(rule.startswith("execution ") for rule in rules):
            if not self._looks_ns:
                self._looks_ns = now_ns + self._draw.randint(*_LOOK_NS)
            if self._calm or now_ns >= self._looks_ns:
                self._looks_ns = 0
                self._tell(life, on=False)

    def _restraints(self, life: Life) -> tuple[str, ...]:
        postures = life.engine.desk.gate.postures
        return tuple(one.rule for one in postures if one.level is not PostureLevel.ACTIVE)

    def _tell(self, life: Life, *, on: bool) -> None:
        control = life.control
        if control is None:
            return
        self._note(f"reduce-only {'on' if on else 'off'}")
        life.gate.within(lambda: control.take(Reduce(on), "a person", lambda reply: None))
