"""Hold the engine to the weight that each venue takes within any window of time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from typing_extensions import override

from fairlead.testing.simulated import SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["BudgetOracle"]


class BudgetOracle(Oracle):
    """What arrives at a venue never weighs more than it takes.

    A process learns by the venue's first answers what the one before it used, so it is judged
    from one window after its start.
    """

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        now_ns: Callable[[], int],
    ) -> None:
        self._add = add
        self._venues = venues
        self._now_ns = now_ns
        self._begun_ns = now_ns()
        self._over = dict.fromkeys(venues, 0)

    @override
    def begun(self, life: Life) -> None:
        self._begun_ns = self._now_ns()

    @override
    def second(self) -> None:
        for name, venue in self._venues.items():
            budget = venue.budget
            if budget is None or budget.over == self._over[name]:
                continue
            self._over[name] = budget.over
            if self._now_ns() - self._begun_ns > venue.setup.budget_ns:
                text = f"{name}: {budget.peak} where {budget.capacity} are allowed"
                self._add("weight never exceeds the venue's budget", text)
