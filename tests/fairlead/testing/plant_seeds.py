"""Look for a seed that finds each planted bug, and write them down: by hand, when many have moved.

    python -m tests.fairlead.testing.plant_seeds [NAME ...]

The seeds of `simulation_plants.toml` are tried first, so that what still holds stays.
"""

import sys
import tomllib
from collections.abc import Iterator
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


def candidates(name: str) -> Iterator[int]:
    first = known().get(name)
    if first is not None:
        yield first
    yield from (seed for seed in range(1, MOST_SEEDS + 1) if seed != first)


def find(name: str) -> tuple[str, int | None]:
    """Give the first seed that finds a plant."""
    install_context()
    scenarios = load_scenarios(plans=needs_plans(PLANTS[name]))
    for seed in candidates(name):
        run = SeedRun(seed, QUARTER, plant=PLANTS[name])
        if run_seed(scenario_of(scenarios, seed), run).violations:
            return name, seed
    return name, None


def main(names: list[str]) -> int:
    """Look for all, or for those that are named; 1 = some were not found."""
    missed = 0
    with ProcessPoolExecutor(2) as pool:
        for name, seed in pool.map(find, names or list(PLANTS)):
            print(f"{name:<28} {seed or 'not found'}", flush=True)  # noqa: T201 - a tool for a shell
            missed += seed is None
            if seed is not None:
                seeds = {**known(), name: seed}
                lines = (f"{one} = {seeds[one]}\n" for one in sorted(seeds) if one in PLANTS)
                FILE.write_text(HEADER + "".join(lines), encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
