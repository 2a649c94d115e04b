"""Quote both sides of one market: pure market making around a reference price."""

from fairlead import hookimpl
from fairlead.api import Registry
from fairlead_pmm.config import (
    InventoryConfig,
    LevelsConfig,
    PmmConfig,
    Reference,
    RefreshConfig,
)
from fairlead_pmm.controller import Delay, PmmController, PmmMemory, build

__all__ = [
    "Delay",
    "InventoryConfig",
    "LevelsConfig",
    "PmmConfig",
    "PmmController",
    "PmmMemory",
    "Reference",
    "RefreshConfig",
    "build",
    "fairlead_register",
]


@hookimpl
def fairlead_register(registry: Registry) -> None:
    """Offer the controller ``pmm``."""
    registry.controller(
        "pmm",
        PmmConfig,
        build,
        summary="quotes both sides of the mid or microprice, leaning against its inventory",
    )
