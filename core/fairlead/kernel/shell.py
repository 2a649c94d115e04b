"""Run what stands around an engine for people: the control socket, and the alerts it sends out.

None of it is the engine's own: it begins before the engine and ends after it, and whatever fails
here stays here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fairlead.kernel.control import Control
from fairlead.kernel.control_server import ControlServer
from fairlead.kernel.control_socket import ControlSocket
from fairlead.kernel.side import SideLoop

__all__ = ["standing_by"]


@asynccontextmanager
async def standing_by(control: Control, place: ControlSocket | None) -> AsyncIterator[SideLoop]:
    """Serve people as long as the context lasts; what waits at its end is answered then."""
    side = SideLoop(asyncio.get_running_loop())
    if place is not None:
        side.spawn(ControlServer(place, control.take, side).run())
    try:
        yield side
    finally:
        control.close()
        await side.close()
