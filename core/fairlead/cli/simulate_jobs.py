"""Run seeds in processes beside each other; every seed is a world of its own."""

from __future__ import annotations

import multiprocessing  # sim-ok: each process runs whole seeds, none is part of one
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fairlead.model.numbers import install_context
from fairlead.testing.simulation import (
    Failure,
    Scenario,
    SeedResult,
    Task,
    investigate,
    load_scenarios,
    scenario_of,
)

__all__ = ["Work", "run_tasks"]

_Done = tuple[SeedResult, tuple[Failure, ...]]


@dataclass(frozen=True, slots=True)
class Work:
    """What all seeds have in common."""

    config: Path | None
    sets: tuple[str, ...]
    #: Whether one broken promise is enough.
    stop_early: bool
    #: Which of the shipped variants are run; see `load_scenarios`.
    plans: bool | None = None

    def load(self) -> tuple[Scenario, ...]:
        """Read what is run. :raises ConfigError: with every finding."""
        return load_scenarios(self.config, self.sets, plans=self.plans)


# Violations investigated in each process; where there are more, these say enough.
_INVESTIGATED = 2


class _Worker:
    # A process loads the configuration once, for all of its seeds.
    scenarios: tuple[Scenario, ...] = ()
    #: Violations that may still be investigated here; finding out what they take takes many runs.
    investigations = _INVESTIGATED


def run_tasks(work: Work, tasks: Sequence[Task], jobs: int) -> Iterator[_Done]:
    """Give what came of each task, as it is done; ends early where one violation is enough."""
    if jobs == 1:
        _begin(work)
        yield from _until_enough(work, map(_one, tasks))
        return
    # Spawned, not forked: nothing of this process may be in the others.
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, _begin, (work,)) as pool:
        yield from _until_enough(work, pool.imap_unordered(_one, tasks))


def _until_enough(work: Work, done: Iterator[_Done]) -> Iterator[_Done]:
    for result, failures in done:
        yield result, failures
        if failures and work.stop_early:
            return


def _begin(work: Work) -> None:
    install_context()
    _Worker.scenarios = work.load()


def _one(task: Task) -> _Done:
    if _Worker.investigations <= 0:
        task = replace(task, tries=0)
    result, failures = investigate(scenario_of(_Worker.scenarios, task.run.seed), task)
    _Worker.investigations -= len(failures)
    return result, failures
