"""Reach an instance's venues from outside of its engine: for the watchdog and for panic.

Nothing here needs the engine, its process or, beyond the instance's tag, its database.
"""

from __future__ import annotations

from fairlead.api import Clock, Connector, Ids, Offers, Process, Transport
from fairlead.config import Settings
from fairlead.errors import UsageError
from fairlead.kernel.beat import read_beat
from fairlead.kernel.container import Surroundings, build_connector
from fairlead.store import open_reader

__all__ = ["instance_tag", "outside_connectors"]


def outside_connectors(
    settings: Settings, offers: Offers, *, clock: Clock, ids: Ids, transport: Transport
) -> dict[str, Connector]:
    """Build a connector to every venue of a configuration, for cancels and queries alone.

    :raises UsageError: in mode paper, where nothing is outside of the engine's own process.
    """
    mode = settings.engine.mode
    if mode == "paper":
        raise UsageError("engine.mode", mode, "play money never leaves its process: nothing to do")
    surroundings = Surroundings(
        offers=offers, clock=clock, ids=ids, transport=transport, folder=settings.folder
    )
    return {
        venue: build_connector(venue, table.connector, table.options, surroundings)
        for venue, table in settings.venues.items()
    }


def instance_tag(settings: Settings, process: Process) -> int:
    """Find the tag that the orders of the configured instance bear, in its store or its beat.

    :raises UsageError: when the instance has never run with this store.
    :raises StoreError: when the store cannot be read and no engine beats.
    """
    instance = settings.engine.instance
    beat = read_beat(process, instance)
    if beat is not None:
        return beat.tag
    if settings.store_path.exists():
        reader = open_reader(f"sqlite:///{settings.store_path}")
        try:
            tags = [run.tag for run in reader.runs() if run.instance == instance]
        finally:
            reader.close()
        if tags:
            return tags[-1]
    raise UsageError("instance", instance, f"has never run with {settings.store_path}")
