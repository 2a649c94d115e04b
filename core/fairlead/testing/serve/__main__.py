"""Serve one simulated venue until asked to stop: ``python -m fairlead.testing.serve --port 0``.

Prints where it listens as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from fairlead.api import Duration
from fairlead.kernel import SeededIds, SystemClock, SystemProcess
from fairlead.model.numbers import install_context
from fairlead.testing.serve import AdminDesk, LoopbackHost
from fairlead.testing.simulated import SimulatedVenue, VenueSetup

__all__ = ["main"]


@click.command()
@click.option("--port", default=0, help="Where to listen; 0 = any free port.")
@click.option("--name", default="main", help="What the venue is called.")
@click.option("--seed", default=7, help="The seed of its chance.")
@click.option("--frame", default="200 ms", help="How often its market moves.")
def main(port: int, name: str, seed: int, frame: str) -> None:
    """Serve one simulated venue on 127.0.0.1 until asked to stop."""
    install_context()
    setup = VenueSetup(name=name, thin_ns=Duration.parse(frame).ns)
    asyncio.run(_serve(setup, port, seed))


async def _serve(setup: VenueSetup, port: int, seed: int) -> None:
    clock = SystemClock()
    host = LoopbackHost(clock)
    admin = AdminDesk(lambda: SimulatedVenue(setup, clock, SeededIds(seed)), host)
    admin.open()
    over = asyncio.Event()
    end = SystemProcess(Path()).on_stop(over.set)
    found = await host.start(port)
    click.echo(json.dumps({"schema": 1, "address": f"http://127.0.0.1:{found}", "port": found}))
    try:
        await over.wait()
    finally:
        end()
        admin.close()
        await host.stop()


if __name__ == "__main__":
    main()
