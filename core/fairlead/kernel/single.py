"""Let one process at a time run an instance: a lock beside its store that dies with its holder.

The lock keeps two processes of one machine apart. Where it does not reach (the file was deleted,
the disk is another machine's) the epoch does: a run that begins later fences the earlier one at
its next commit, see `fairlead.store.writer`.
"""

from __future__ import annotations

from collections.abc import Callable

from fairlead.api import Process
from fairlead.config import Settings
from fairlead.errors import UsageError

__all__ = ["hold_instance", "lock_name"]


def lock_name(settings: Settings) -> str:
    """Name the lock of an instance; beside the store, one for each instance of each store."""
    return f"{settings.store_path.name}.{settings.engine.instance}.lock"


def hold_instance(process: Process, settings: Settings) -> Callable[[], None]:
    """Take the instance's lock; gives a call that lets go.

    :raises UsageError: naming the process that runs it.
    """
    name = lock_name(settings)
    let_go = process.lock(name)
    if let_go is None:
        holder = process.read_marker(name) or "another process"
        raise UsageError(
            "instance",
            settings.engine.instance,
            f"is run by {holder} on {settings.store_path}; stop that one, or name another "
            "instance or store",
        )
    return let_go
