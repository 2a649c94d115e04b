"""Plant bugs, to see the simulation find them: nothing of this is reachable in production.

Each plant replaces a guard of the engine by one that does not hold, while a simulated seed runs.
What cannot be broken this way without the simulation noticing is not proven by it either.
"""

from fairlead.errors import UsageError
from fairlead.testing.simulation.plants.durable import DURABLE_PLANTS
from fairlead.testing.simulation.plants.knowing import KNOWING_PLANTS
from fairlead.testing.simulation.plants.limit import LIMIT_PLANTS
from fairlead.testing.simulation.plants.market import MARKET_PLANTS
from fairlead.testing.simulation.plants.money import MONEY_PLANTS
from fairlead.testing.simulation.plants.outcome import OUTCOME_PLANTS
from fairlead.testing.simulation.plants.plan import PLAN_PLANTS
from fairlead.testing.simulation.plants.plant import Mutation, Plant, planted
from fairlead.testing.simulation.plants.stop import STOP_PLANTS

__all__ = [
    "PLANTS",
    "Mutation",
    "Plant",
    "named_plant",
    "needs_plans",
    "planted",
]

#: Every planted bug, by name.
PLANTS = {
    plant.name: plant
    for plant in (
        *OUTCOME_PLANTS,
        *KNOWING_PLANTS,
        *DURABLE_PLANTS,
        *STOP_PLANTS,
        *MONEY_PLANTS,
        *MARKET_PLANTS,
        *PLAN_PLANTS,
        *LIMIT_PLANTS,
    )
}


def needs_plans(plant: Plant) -> bool:
    """Tell whether a bug shows only where plans are worked, at their limits; else where is quoted.

    Of the shipped variants those are run that it can show in.
    """
    return plant in (*PLAN_PLANTS, *LIMIT_PLANTS)


def named_plant(name: str) -> Plant:
    """Give a planted bug by its name. :raises UsageError: when there is none of that name."""
    plant = PLANTS.get(name.replace("-", "_"))
    if plant is None:
        raise UsageError("--plant", name, f"write list, or one of: {', '.join(PLANTS)}")
    return plant
