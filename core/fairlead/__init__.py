"""Make markets deterministically: a market-making engine whose parts are all plugins."""

import pluggy

__all__ = ["__version__", "hookimpl"]

__version__ = "0.1.0"

#: Marks a plugin's function as the implementation of a ``fairlead_`` hook.
hookimpl = pluggy.HookimplMarker("fairlead")
