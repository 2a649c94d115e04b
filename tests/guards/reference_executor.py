"""Write the reference of the plans that executors work: one table each, from its model."""

import inspect
from collections.abc import Callable

from pydantic import BaseModel

from fairlead.api import Offers

__all__ = ["executor_page"]

HEAD = """\
# Executors

{note}

An executor works a *plan*: it decides which orders are placed, when, and what follows from their
fills. A plan is admitted on a tick, with the most that it may trade and the worst price, or not at
all; from then on it is worked between ticks too. A strategy starts one by value:

```python
from decimal import Decimal

from fairlead.api import Start, TieredPlan
from fairlead.model import MarketId, Side

plan = TieredPlan(market=MarketId("main", "ALT/USDT"), side=Side.BUY, quantity=Decimal("2.5"))
start = Start("build-up", "tiered", plan)  # one of Decision(…, start=(start,))
```

From the command line, `fairlead execute` works one and nothing else, and `fairlead executions`
tells what all of them came to.

A plugin offers more of them with `registry.executor(name, plan, build)` in
[`fairlead_register`](hooks.md).

What holds for each of them: no order without a bound on its price; an order that may still fill
counts as filled, so nothing is decided about a rest before the proof that every order is gone;
never more new risk than was admitted; an exit or a hedge is never larger than what the plan itself
holds. After a restart a plan goes on from its last stored step.
"""

GUIDES = {
    "tiered": "[Fill a quantity in tiers](../how-to/fill-a-quantity-in-tiers.md)",
    "twap": "[Spread a quantity over time](../how-to/spread-a-quantity-over-time.md)",
    "position": "[Guard a position](../how-to/guard-a-position.md)",
    "atomic": "[Trade legs together](../how-to/trade-legs-together.md)",
    "xemm": "[Hedge fills elsewhere](../how-to/hedge-fills-elsewhere.md)",
}


def executor_page(note: str, offers: Offers, table: Callable[[type[BaseModel]], list[str]]) -> str:
    """Give the page; ``table`` writes the rows of a model with their head."""
    parts = [HEAD.format(note=note)]
    for offer in offers.executors.values():
        if offer.config is None:
            continue
        about = (inspect.getdoc(offer.config) or "").replace("``", "`")
        parts += [f"## `{offer.name}`", "", f"{offer.summary[:1].upper()}{offer.summary[1:]}.", ""]
        parts += [about, ""]
        if offer.name in GUIDES:
            parts += [f"How it looks: {GUIDES[offer.name]}.", ""]
        parts += [*table(offer.config), ""]
    return "\n".join(parts).rstrip() + "\n"
