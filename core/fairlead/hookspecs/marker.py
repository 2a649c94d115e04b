"""Mark the engine's own list of hooks; plugins mark theirs with ``fairlead.hookimpl``."""

from __future__ import annotations

import pluggy

from fairlead import hookimpl

__all__ = ["PROJECT", "hookspec"]

#: The name under which hooks, markers and entry points belong together.
PROJECT = hookimpl.project_name

#: Mark a hook's specification; only the engine does so.
hookspec = pluggy.HookspecMarker(PROJECT)
