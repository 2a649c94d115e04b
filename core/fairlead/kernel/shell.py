"""Run what stands around an engine for people: the control socket, and the alerts it sends out.

None of it is the engine's own: it begins before the engine and ends after it, and whatever fails
here stays here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fairlead.api import Transport
from fairlead.kernel.alerting import AlertQueue
from fairlead.kernel.control import Control
from fairlead.kernel.control_server import ControlServer
from fairlead.kernel.control_socket import ControlSocket
from fairlead.kernel.post import Post
from fairlead.kernel.side import SideLoop
from fairlead.kernel.transport import SystemTransport

__all__ = ["Shell"]

# What the last alerts of a run may take, in real time.
_LAST_S = 15.0


class Shell:
    """What stands around one engine; use `standing` once, around its run."""

    def __init__(self, control: Control, place: ControlSocket | None, post: Post) -> None:
        self._control = control
        self._place = place
        self.post = post
        control.shown["alerts"] = post.status

    @asynccontextmanager
    async def standing(self, alerts: AlertQueue, transport: Transport) -> AsyncIterator[None]:
        """Serve people as long as the context lasts; what waits at its end is answered and sent.

        :param transport: what the notifiers send by; closed at the end.
        """
        side = SideLoop(asyncio.get_running_loop())
        if self._place is not None:
            side.spawn(ControlServer(self._place, self._control.take, side).run())
        if self.post.deliveries:
            side.spawn(self.post.run())
        handing = asyncio.get_running_loop().create_task(alerts.run(), name="alerts")
        try:
            yield
        finally:
            self._control.close()
            handing.cancel()
            await asyncio.wait([handing])
            await alerts.finish()
            if self.post.deliveries:
                await side.settle(side.spawn(self.post.done()), _LAST_S)
                await side.settle(side.spawn(_closed(transport)), _LAST_S)
            await side.close()


async def _closed(transport: Transport) -> None:
    if isinstance(transport, SystemTransport):
        await transport.close()
