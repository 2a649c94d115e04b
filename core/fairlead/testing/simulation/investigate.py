"""Run a seed, and where it breaks a promise, find out what it takes and how to see it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import fairlead
from fairlead.testing.simulation.fault import FaultKind
from fairlead.testing.simulation.report import Failure
from fairlead.testing.simulation.run import SeedResult, SeedRun, run_seed
from fairlead.testing.simulation.scenario import Scenario
from fairlead.testing.simulation.shrink import shrink

__all__ = ["Task", "investigate", "version"]

_HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """One seed to run, and the words of the command that asks for it."""

    run: SeedRun
    #: What stands between the command and its seeds: the configuration and what overrides it.
    words: Sequence[str] = ()
    #: How many runs may be spent on finding out which faults it takes.
    tries: int = 40


def investigate(scenario: Scenario, task: Task) -> tuple[SeedResult, tuple[Failure, ...]]:
    """Run a seed; a broken promise is shrunk to the faults that it takes."""
    result = run_seed(scenario, task.run)
    if not result.violations:
        return result, ()
    rule = result.violations[0].rule
    smallest = result

    def still_broken(only: tuple[int, ...]) -> bool:
        nonlocal smallest
        again = run_seed(scenario, replace(task.run, only=only))
        if not again.violations or again.violations[0].rule != rule:
            return False
        smallest = again
        return True

    only = shrink(tuple(result.faults), still_broken, task.tries)
    run = replace(task.run, only=only) if len(only) < len(result.faults) else task.run
    failure = Failure(
        seed=task.run.seed,
        version=version(),
        violation=smallest.violations[0],
        faults=tuple(smallest.faults.values()),
        history=smallest.history,
        command=_command(task.words, run),
    )
    return result, (failure,)


def _command(words: Sequence[str], run: SeedRun) -> str:
    parts = ["fairlead", "simulate", *words, "--seeds", f"{run.seed}-{run.seed}"]
    parts += ["--hours", f"{run.length_ns / _HOUR_NS:g}"]
    if tuple(run.kinds) != tuple(FaultKind):
        parts += ["--faults", ",".join(run.kinds) or "none"]
    if run.only is not None:
        parts += ["--only", ",".join(str(place) for place in run.only) or "none"]
    if run.plant is not None:
        parts += ["--plant", run.plant.name]
    return " ".join(parts)


def version() -> str:
    """Give the commit where this is a checkout, else the version of the package."""
    git = Path(fairlead.__file__).parents[2] / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head[:12]
        return _commit(git, name)[:12]
    except (OSError, ValueError):
        return fairlead.__version__


def _commit(git: Path, name: str) -> str:
    loose = git / name
    if loose.is_file():
        return loose.read_text(encoding="ascii").strip()
    for line in (git / "packed-refs").read_text(encoding="ascii").splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name:
            return commit
    raise ValueError(f"{name} has no commit")
