"""Run one life of an engine in a process that is forked from a warm parent."""

import asyncio
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from fairlead.api import Registry
from fairlead.kernel import Observers, SeededIds, VirtualClock, compose
from fairlead.model.numbers import install_context
from fairlead.store import Durability, InlineWriter, TraceHash, open_database, statements
from fairlead.testing.simulation import SHIPPED, load_scenarios
from tests.system.kill_bridge import SECOND, BridgeTransport, EngineLoop
from tests.system.kill_points import (
    PointedDatabase,
    PointedProcess,
    Points,
    count_in,
    offer_pointed,
)

install_context()
statements()
(SCENARIO,) = load_scenarios(
    SHIPPED, ("strategies.alt.refresh={ every = '2 s', keep_within = '1 bps' }", "risk.warm_up=1 s")
)


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is to do, and where it is to die; 0 = nowhere."""

    folder: str
    seed: int
    now_ns: int
    for_ns: int
    kill_at: int = 0


def live(line: Connection, task: Task) -> None:
    """Run an engine on the other side's time until it ends or is killed."""
    points = Points(task.kill_at)
    count_in(points)
    loop = EngineLoop(line)
    loop.begin(task.now_ns)
    clock = VirtualClock(loop)
    folder = Path(task.folder)
    url = f"sqlite:///{folder}/fairlead.db"
    database = open_database(url, Durability.NORMAL)
    # The same connection, with points around its transactions.
    database.__class__ = PointedDatabase
    registry = Registry()
    registry.enter("kill", "tests")
    offer_pointed(registry)
    offers = replace(
        SCENARIO.offers,
        connectors={**SCENARIO.offers.connectors, **registry.offers().connectors},
    )
    store = InlineWriter(database)
    container = compose(
        SCENARIO.settings,
        offers,
        {
            "clock": clock,
            "ids": SeededIds(task.seed),
            "process": PointedProcess(folder),
            "store": store,
            "traces": lambda run_name: TraceHash(),
            "observers": Observers({}, clock.monotonic_ns, slow_ns=10 * SECOND, patience=3),
        },
    )
    container.transport.override(BridgeTransport(loop, points))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(container.engine().run(for_ns=task.for_ns))
        store.close()
        line.send(
            ("ended", int(result.exit_code), f"{result.reason} {result.detail}", points.names)
        )
