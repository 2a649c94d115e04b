"""Write alerts into a file, a line of JSON each."""

from __future__ import annotations

import msgspec

from fairlead.api import Alert, NotifierContext, NotifyError
from fairlead_alerts.config import LogConfig

__all__ = ["LogNotifier"]


class LogNotifier:
    """Appends to one file, which it opens for each alert anew: it may be moved away meanwhile."""

    def __init__(self, config: LogConfig, context: NotifierContext) -> None:
        self._config = config
        self._path = context.folder / config.file

    async def notify(self, alert: Alert) -> None:
        """Append a line. :raises NotifyError: when the disk refuses."""
        if alert.severity.rank < self._config.least.rank:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode({"schema": 1} | msgspec.to_builtins(alert)) + b"\n")
        except OSError as error:
            raise NotifyError(f"{self._path.name}: {error.strerror}") from error

    async def close(self) -> None:
        """Do nothing: nothing stays open."""
