"""Wake plans by the market: prices that they watch, and books that become valid or invalid."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fairlead.api import PlanEvent, Triggered, Wake, Watch
from fairlead.kernel.plans_run import PlanRun
from fairlead.model import MarketId
from fairlead.trackers import MarketTracker

__all__ = ["PlanWatches"]


class PlanWatches:
    """The guard prices of all executions."""

    def __init__(
        self,
        runs: Mapping[str, PlanRun],
        markets: Mapping[MarketId, MarketTracker],
        tell: Callable[[PlanRun, PlanEvent], None],
    ) -> None:
        self._runs = runs
        self._markets = markets
        self._tell = tell

    def arm(self, run: PlanRun, watches: tuple[Watch, ...]) -> None:
        """Watch these from now on, and no others.

        A new one may be reached already. One that was there or was just reached waits for the next
        move, so that an executor that asks for it again is not woken for ever at one instant.
        """
        known = (*run.watches, *run.reached)
        fresh = tuple(watch for watch in watches if watch not in known)
        run.watches, run.reached = watches, ()
        for watch in fresh:
            self._look(run, watch)

    def top_moved(self, market: MarketId) -> None:
        """Take that the best prices of a market moved."""
        for run in self._runs.values():
            for watch in run.watches:
                if watch.market == market:
                    self._look(run, watch)

    def validity_changed(self, market: MarketId) -> None:
        """Wake the executions on a market whose book became valid or invalid."""
        for run in self._runs.values():
            if market in run.instruments:
                self._tell(run, Wake())

    def _look(self, run: PlanRun, watch: Watch) -> None:
        tracker = self._markets.get(watch.market)
        mid = None if tracker is None else tracker.mid
        if mid is None or (mid < watch.price if watch.above else mid > watch.price):
            return
        run.watches = tuple(other for other in run.watches if other != watch)
        run.reached = (*run.reached, watch)
        self._tell(run, Triggered(watch, mid))
