"""Sum up many seeds: figures, violations with all that is needed to look into them, hashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.testing.simulation.fault import Fault
from fairlead.testing.simulation.run import SeedResult
from fairlead.testing.simulation.violation import Violation

__all__ = ["Failure", "SimulationReport"]

_HOUR_NS = 3_600_000_000_000
# What is shown of the time before a violation.
_TRACE_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Failure:
    """One seed that broke a promise."""

    seed: int
    version: str
    violation: Violation
    #: The faults that it takes, as far as they were shrunk.
    faults: Sequence[Fault]
    history: tuple[str, ...]
    #: The command that shows it again.
    command: str

    def as_json(self) -> Mapping[str, Any]:
        """Give it for the report."""
        return {
            "seed": self.seed,
            "version": self.version,
            **self.violation.as_json(),
            "faults": [fault.describe() for fault in self.faults],
            "trace": list(self.history[-_TRACE_SHOWN:]),
            "command": self.command,
        }

    def describe(self) -> str:
        """Say all of it, for a person."""
        faults = [f"  {fault.describe()}" for fault in self.faults]
        lines = [
            f"seed {self.seed}, fairlead {self.version}: {self.violation.describe()}",
            f"faults that it takes ({len(faults)}):" if faults else "it takes no fault",
            *faults,
            "before it:",
            *(f"  {line[:240]}" for line in self.history[-_TRACE_SHOWN:]),
            f"again: {self.command}",
        ]
        return "\n".join(lines)


class SimulationReport:
    """The sum of the seeds so far."""

    def __init__(self) -> None:
        self.seeds = 0
        self.elapsed_ns = 0
        self.orders = 0
        self.lives = 0
        self.faults: Counter[str] = Counter()
        self.failures: list[Failure] = []
        self.hashes: dict[int, str] = {}

    def add(self, result: SeedResult, failures: Iterable[Failure] = ()) -> None:
        """Take in a seed."""
        self.seeds += 1
        self.elapsed_ns += result.elapsed_ns
        self.orders += result.orders
        self.lives += result.lives
        self.faults.update(result.counts)
        self.failures.extend(failures)
        self.hashes[result.seed] = result.trace_hash

    @property
    def hours(self) -> float:
        """Give the simulated hours."""
        return self.elapsed_ns / _HOUR_NS

    def as_json(self) -> Mapping[str, Any]:
        """Give the report as a contract has it (docs/reference/files)."""
        return {
            "schema": 1,
            "seeds": self.seeds,
            "sim_hours": round(self.hours, 3),
            "orders": self.orders,
            "faults": dict(sorted(self.faults.items())),
            "violations": [
                failure.as_json() for failure in sorted(self.failures, key=lambda one: one.seed)
            ],
            "trace_hashes": {str(seed): self.hashes[seed] for seed in sorted(self.hashes)},
        }
