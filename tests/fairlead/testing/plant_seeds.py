"""Look for a seed that finds each planted bug, and write them down: by hand, when many have moved.

    python -m tests.fairlead.testing.plant_seeds [NAME ...]

The seeds of `simulation_plants.toml` are tried first, so that what still holds stays.
"""

import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor  # sim-ok: each process runs whole seeds
from pathlib import Path

from fairlead.model.numbers import install_context
from fairlead.testing.simulation import PLANTS, SeedRun, load_scenarios, run_seed, scenario_of
from fairlead.testing.simulation.plants import needs_plans

FILE = Path(__file__).with_name("simulation_plants.toml")
QUARTER = 3_600_000_000_000 // 4
MOST_SEEDS = 50
HEADER = "# A seed of a quarter of an hour that finds each planted bug, soon.\n[seed]\n"


def known() -> dict[str, int]:
    """Give what is written down."""
    read: dict[str, int] = tomllib.loads(FILE.read_text(encoding="utf-8"))["seed"]
    return read


def find(name: str, first: int | None) -> int | None:
    """Give a seed that finds a plant; the one that is written down is tried first."""
    install_context()
    scenarios = load_scenarios(plans=needs_plans(PLANTS[name]))
    others = [seed for seed in range(1, MOST_SEEDS + 1) if seed != first]
    for seed in others if first is None else [first, *others]:
        run = SeedRun(seed, QUARTER, plant=PLANTS[name])
        if run_seed(scenario_of(scenarios, seed), run).violations:
            return seed
    return None


def main(names: list[str]) -> int:
    """Look for all, or for those that are named; 1 = some were not found."""
    seeds, missed = known(), 0
    wanted = names or list(PLANTS)
    with ProcessPoolExecutor(2) as pool:
        found = pool.map(find, wanted, [seeds.get(name) for name in wanted])
        for name, seed in zip(wanted, found, strict=True):
            print(f"{name:<28} {seed or 'not found'}", flush=True)  # noqa: T201 - a tool for a shell
            missed += seed is None
            seeds[name] = seed or 1
    lines = (f"{name} = {seeds[name]}\n" for name in sorted(seeds) if name in PLANTS)
    FILE.write_text(HEADER + "".join(lines), encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
