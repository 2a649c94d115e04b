"""Find, load and call plugins: the only place that knows how they are installed.

A plugin is an import package registered as an entry point of the group ``fairlead``. Only the
enabled ones are imported; each is called by itself, so that what goes wrong is said with its
name. Nothing here is kept in a global: `load_plugins` builds a manager and passes it on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TYPE_CHECKING

from pluggy import PluginManager, PluginValidationError

from fairlead import execution, hookspecs
from fairlead.api import Offers, Registry
from fairlead.errors import PluginError
from fairlead.hookspecs import PROJECT
from fairlead.kernel.observers import Observers

if TYPE_CHECKING:
    import click

__all__ = [
    "Installed",
    "Plugins",
    "installed",
    "load_plugins",
    "try_plugins",
]

#: Plugins of this distribution are enabled where no configuration says otherwise.
_BUILT_IN = "fairlead"
_REQUIREMENT = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+).*;.*\bextra\s*==\s*['\"](?P<extra>[^'\"]+)['\"]"
)


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin that could be enabled, and the distribution that brought it."""

    name: str
    distribution: str
    version: str
    entry: EntryPoint

    @property
    def origin(self) -> str:
        """Give name and version of the distribution."""
        return f"{self.distribution} {self.version}".strip()

    @property
    def is_built_in(self) -> bool:
        """Tell whether it came with the engine."""
        return _normal(self.distribution) == _BUILT_IN

    @classmethod
    def of(cls, entry: EntryPoint) -> Installed:
        """Describe an entry point."""
        if entry.dist is None:
            return cls(entry.name, "", "", entry)
        return cls(entry.name, entry.dist.name, entry.dist.version, entry)


def installed() -> tuple[Installed, ...]:
    """Name every plugin installed beside the engine, by name; imports none of them.

    Two distributions may bring one name; that is refused where the name is enabled.
    """
    found = (Installed.of(entry) for entry in entry_points(group=PROJECT))
    return tuple(sorted(found, key=lambda plugin: (plugin.name, plugin.distribution)))


class Plugins:
    """The enabled plugins, in order, and typed ways to call their hooks."""

    def __init__(self, manager: PluginManager, loaded: Sequence[Installed]) -> None:
        self._manager = manager
        #: What is loaded, in the order of ``[plugins] enable``.
        self.loaded = tuple(loaded)

    def register_offers(self) -> Offers:
        """Ask every plugin for its offers.

        :raises PluginError: the first that offers something twice, wrongly, or fails.
        """
        offers, failures = self.try_offers()
        for failure in failures:
            raise failure
        return offers

    def try_offers(self) -> tuple[Offers, tuple[PluginError, ...]]:
        """Ask every plugin for its offers; give them with everything that went wrong."""
        registry = Registry()
        registry.enter("fairlead", "fairlead")
        for name, plan, build, summary in getattr(execution, "SHIPPED", ()):
            registry.executor(name, plan, build, summary=summary)
        failures = []
        for plugin, call in self._callers("fairlead_register"):
            registry.enter(plugin.name, plugin.origin)
            try:
                call(registry=registry)
            except PluginError as error:
                failures.append(error)
            except Exception as error:  # noqa: BLE001 - plugin boundary: it may raise anything
                failures.append(_failed(plugin, "fairlead_register", error))
        return registry.offers(), tuple(failures)

    def add_commands(self, group: click.Group, taken: Collection[str] = ()) -> None:
        """Let every plugin add its commands.

        :param taken: names that no plugin may use, besides those already in the group.
        :raises PluginError: when one uses a name that is taken, or fails.
        """
        for plugin, call in self._callers("fairlead_commands"):
            before = dict(group.commands)
            try:
                call(cli=group)
            except Exception as error:  # plugin boundary: it may raise anything
                raise _failed(plugin, "fairlead_commands", error) from error
            for name, command in group.commands.items():
                if name in taken or before.get(name, command) is not command:
                    raise PluginError(
                        plugin.name, plugin.origin, f"adds the command {name!r}, which is taken"
                    )

    def observers(
        self,
        monotonic_ns: Callable[[], int],
        *,
        slow_ns: int = 100_000_000,
        patience: int = 3,
    ) -> Observers:
        """Give the observing side; `Observers` tells what the bounds mean."""
        hooks = [name for name in hookspecs.__all__ if name.startswith("fairlead_")]
        observers = {
            hook: [(plugin.name, call) for plugin, call in self._callers(hook)] for hook in hooks
        }
        return Observers(observers, monotonic_ns, slow_ns, patience)

    def _callers(self, hook: str) -> Iterator[tuple[Installed, Callable[..., object]]]:
        modules = [self._manager.get_plugin(plugin.name) for plugin in self.loaded]
        for plugin, own in zip(self.loaded, modules, strict=True):
            others = [module for module in modules if module is not own]
            if any(caller.name == hook for caller in self._manager.get_hookcallers(own) or ()):
                yield plugin, self._manager.subset_hook_caller(hook, others)


def load_plugins(
    enable: Sequence[str] | None, available: Sequence[Installed] | None = None
) -> Plugins:
    """Import the named plugins, or all built-in ones for None.

    :param available: what there is to choose from; by default what `installed` finds.
    :raises PluginError: for the first that is unknown, ambiguous or broken.
    """
    plugins, failures = try_plugins(enable, available)
    for failure in failures:
        raise failure
    return plugins


def try_plugins(
    enable: Sequence[str] | None, available: Sequence[Installed] | None = None
) -> tuple[Plugins, tuple[PluginError, ...]]:
    """Import the named plugins; give those that work, with everything that went wrong."""
    available = installed() if available is None else available
    if enable is None:
        enable = [plugin.name for plugin in available if plugin.is_built_in]
    manager = PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    loaded, failures = [], []
    for name in dict.fromkeys(enable):
        try:
            plugin = _choose(name, available)
            _register(manager, plugin, _import(plugin))
        except PluginError as error:
            failures.append(error)
        else:
            loaded.append(plugin)
    return Plugins(manager, loaded), tuple(failures)


def _choose(name: str, available: Sequence[Installed]) -> Installed:
    found = [plugin for plugin in available if plugin.name == name]
    if not found:
        names = list(dict.fromkeys(plugin.name for plugin in available))
        close = get_close_matches(name, names, 1)
        meant = f"did you mean {close[0]!r}? " if close else ""
        raise PluginError(
            name, "", f"is not installed; {meant}installed are: {', '.join(names) or 'none'}"
        )
    if len(found) > 1:
        origins = " and ".join(plugin.origin for plugin in found)
        raise PluginError(name, "", f"is offered by {origins}; uninstall one of them")
    return found[0]


def _import(plugin: Installed) -> ModuleType:
    try:
        module: ModuleType = plugin.entry.load()
    except ModuleNotFoundError as error:
        raise PluginError(plugin.name, plugin.origin, _missing(plugin, error)) from error
    except (Exception, SystemExit) as error:  # plugin boundary: an import may raise anything
        raise PluginError(
            plugin.name, plugin.origin, f"cannot be imported: {_one_line(error)}"
        ) from error
    return module


def _missing(plugin: Installed, error: ModuleNotFoundError) -> str:
    module = error.name or str(error)
    top = module.partition(".")[0]
    if module == plugin.entry.module or plugin.entry.module.startswith(f"{module}."):
        return f"its package {module!r} is gone; install {plugin.distribution} again"
    for requirement in (plugin.entry.dist.requires if plugin.entry.dist else None) or ():
        match = _REQUIREMENT.match(requirement)
        if match and _normal(match["name"]) == _normal(top):
            return (
                f"needs {top}, which is not installed; "
                f"install {plugin.distribution}[{match['extra']}]"
            )
    return f"needs the module {module!r}, which is not installed"


def _register(manager: PluginManager, plugin: Installed, module: ModuleType) -> None:
    wrong = ""
    try:
        manager.register(module, plugin.name)
        manager.check_pending()
    except (PluginValidationError, ValueError) as error:
        wrong = f"has a wrong hook: {_one_line(error)}"
    else:
        if not manager.get_hookcallers(module):
            wrong = "has no hook; mark its fairlead_register with @fairlead.hookimpl"
    if wrong:
        # The checks of later plugins must not stumble over this one again.
        if manager.is_registered(module):
            manager.unregister(module)
        raise PluginError(plugin.name, plugin.origin, wrong)


def _failed(plugin: Installed, hook: str, error: Exception) -> PluginError:
    return PluginError(plugin.name, plugin.origin, f"{hook} failed: {_one_line(error)}")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
