"""Ask connectors for their markets without running anything, to check a configuration."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from pydantic import BaseModel

from fairlead.api import Connector, Offers
from fairlead.errors import ConfigError, EngineError
from fairlead.kernel.container import Surroundings, build_connector
from fairlead.kernel.ids import SeededIds
from fairlead.kernel.transport import SystemTransport
from fairlead.kernel.virtual import VirtualClock, VirtualLoop

__all__ = ["markets_of"]


def markets_of(
    offers: Offers, folder: Path
) -> Callable[[str, str, BaseModel], Collection[str] | str]:
    """Give what tells a venue's symbols, or in one line why nobody knows; sends nothing.

    A connector's own findings come as `ConfigError`, with the keys of its table.
    """
    loop = VirtualLoop()
    loop.close()
    surroundings = Surroundings(
        offers=offers,
        clock=VirtualClock(loop),
        ids=SeededIds(0),
        transport=SystemTransport(),
        folder=folder,
    )

    def ask(venue: str, connector: str, options: BaseModel) -> Collection[str] | str:
        try:
            built: Connector = build_connector(venue, connector, options, surroundings)
            return tuple(built.instruments)
        except ConfigError:
            raise
        except EngineError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - plugin boundary: a builder may raise anything
            return " ".join(str(error).split()) or type(error).__name__

    return ask
