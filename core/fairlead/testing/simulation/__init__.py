"""Simulate a whole engine and its venues through bad luck, in virtual time, seed by seed.

`run_seed` runs one seed: it draws faults, lets them strike, heals them, and holds the engine to
its promises by what really happened at the venues. ``fairlead simulate`` runs many.
"""

from fairlead.testing.simulation.fault import FAULTS, Fault, FaultKind, FaultRange, chosen_faults
from fairlead.testing.simulation.investigate import Task, investigate, version
from fairlead.testing.simulation.oracle import Oracle
from fairlead.testing.simulation.plants import PLANTS, Plant, named_plant, needs_plans
from fairlead.testing.simulation.report import Failure, SimulationReport
from fairlead.testing.simulation.run import SeedResult, SeedRun, run_seed
from fairlead.testing.simulation.scenario import (
    SHIPPED,
    Scenario,
    load_scenarios,
    scenario_of,
)
from fairlead.testing.simulation.schedule import draw_schedule
from fairlead.testing.simulation.shrink import shrink
from fairlead.testing.simulation.violation import Violation

__all__ = [
    "FAULTS",
    "PLANTS",
    "SHIPPED",
    "Failure",
    "Fault",
    "FaultKind",
    "FaultRange",
    "Oracle",
    "Plant",
    "Scenario",
    "SeedResult",
    "SeedRun",
    "SimulationReport",
    "Task",
    "Violation",
    "chosen_faults",
    "draw_schedule",
    "investigate",
    "load_scenarios",
    "named_plant",
    "needs_plans",
    "run_seed",
    "scenario_of",
    "shrink",
    "version",
]
