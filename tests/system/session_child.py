"""Run sessions of the demo in a process of their own, until they end or are killed."""

import sys
from pathlib import Path

from fairlead.cli.config import configured
from fairlead.kernel import Session, SessionOptions, SystemProcess
from fairlead.model.numbers import install_context
from fairlead.store import Durability, TraceHash, open_store
from tests.conftest import ROOT

SECOND = 1_000_000_000


def session(folder: Path, *, seconds: int, pace: float | None = None) -> Session:
    """Make a session of the demo whose store lies in ``folder``."""
    install_context()
    sets = (f'engine.store="sqlite:///{folder}/fairlead.db"',)
    found = configured(ROOT / "plugins.toml", sets, env={})
    return Session(
        found.settings,
        found.plugins,
        found.offers,
        store=open_store(found.settings.engine.store, durability=Durability.NORMAL, inline=True),
        traces=lambda name: TraceHash(),
        process=SystemProcess(folder),
        options=SessionOptions(for_ns=seconds * SECOND, pace=pace),
    )


def main() -> None:
    """Run for ``argv[2]`` seconds of market time and print the trace hash."""
    one = session(Path(sys.argv[1]), seconds=int(sys.argv[2]))
    print("begun", flush=True)  # noqa: T201 - the parent reads it
    outcome = one.run()
    print(outcome.trace_hash, outcome.result.exit_code.value, flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
