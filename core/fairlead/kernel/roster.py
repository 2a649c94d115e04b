"""Add, remove and reload strategies of the configuration file while the engine runs.

The whole file is read and judged first; one finding anywhere and nothing happens. Of a good file
only the named strategy counts: whatever else differs from what runs is named and waits for the
next start.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fairlead.config import Settings, canonical_text, config_hash
from fairlead.errors import UsageError
from fairlead.kernel.desk import Desk
from fairlead.kernel.plan import StrategyPlan
from fairlead.store import Journal, StrategyChanged

__all__ = ["Roster"]

_CHANGES = ("add", "remove", "reload")
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Roster:
    """The strategies of one configuration, as it is and as its file has become.

    ``reread`` None: there is no file to read again.
    """

    settings: Settings
    reread: Callable[[], Settings] | None
    plan: Callable[[Settings, str], StrategyPlan]
    journal: Journal
    now_ns: Callable[[], int]

    def change(self, desk: Desk, change: str, name: str) -> dict[str, Any]:
        """Add, remove or reload a strategy now, between two ticks.

        :raises EngineError: with what is wrong; nothing was changed then.
        """
        if change not in _CHANGES:
            raise UsageError("strategy", change, f"write one of {', '.join(_CHANGES)}")
        if (name in desk.runners) is (change == "add"):
            running = ", ".join(desk.runners) or "none"
            what = "runs already" if change == "add" else "does not run"
            raise UsageError("strategy", name, f"{what}; running are: {running}")
        if change == "remove":
            return self._remove(desk, name)
        return self._enter(desk, change, name)

    def _enter(self, desk: Desk, change: str, name: str) -> dict[str, Any]:
        settings = self._read(name)
        plan = self.plan(settings, name)
        problem = desk.cast.problem(plan.market)
        if problem:
            raise UsageError("strategy", name, problem)
        known = desk.ledger.strategies.get(name)
        if known is not None and known.terms.instrument.market != plan.market:
            raise UsageError(
                "strategy",
                name,
                f"trades {known.terms.instrument.market} in this run; give a strategy on "
                f"{plan.market} another name",
            )
        desk.cast.enter(plan)
        desk.ledger.enlist(plan.terms(desk.markets[plan.market].instrument))
        self._note(name, f"{change}ed", str(plan.market), settings)
        return {
            "strategy": name,
            "change": change,
            "market": str(plan.market),
            "waits_for_next_start": self._others(settings, name),
        }

    def _remove(self, desk: Desk, name: str) -> dict[str, Any]:
        market = str(desk.runners[name].market.market)
        desk.cast.leave(name, self.now_ns())
        desk.ledger.strategies[name].uptime.on_invalid(self.now_ns())
        self._note(name, "removed", market, None)
        return {"strategy": name, "change": "remove", "market": market}

    def _read(self, name: str) -> Settings:
        if self.reread is None:
            raise UsageError("strategy", name, "this run has no configuration file to read again")
        settings = self.reread()
        if name not in settings.strategies:
            known = ", ".join(settings.strategies)
            raise UsageError("strategy", name, f"is not in the configuration; there are: {known}")
        return settings

    def _others(self, settings: Settings, name: str) -> list[str]:
        before, after = _tables(self.settings), _tables(settings)
        changed = [
            ".".join(key)
            for key in sorted({**before, **after})
            if before.get(key) != after.get(key) and key != ("strategies", name)
        ]
        return changed[:_MOST_NAMED]

    def _note(self, name: str, change: str, market: str, settings: Settings | None) -> None:
        table = {} if settings is None else _tables(settings)["strategies", name]
        self.journal.append(
            StrategyChanged(
                strategy=name,
                change=change,
                market=market,
                config_hash="" if settings is None else config_hash(settings),
                config=json.dumps(table, sort_keys=True, ensure_ascii=False),
            )
        )


# (table, key or name) → what stands there; secrets are masked in it.
def _tables(settings: Settings) -> dict[tuple[str, str], Any]:
    tree = json.loads(canonical_text(settings))
    return {(table, key): value for table, keys in tree.items() for key, value in keys.items()}
