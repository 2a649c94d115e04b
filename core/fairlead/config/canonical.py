"""Write settings in one way only, for snapshots and for the hash that names a configuration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fairlead.api import secret_reference
from fairlead.config.finding import MASK, is_secret
from fairlead.config.raw import KeyPath, RawConfig, dotted
from fairlead.config.settings import Settings

__all__ = ["Shown", "canonical_text", "config_hash", "from_canonical", "shown"]

# The tables of the file hold these beside the plugin's own keys.
_NESTED = "options"


@dataclass(frozen=True, slots=True)
class Shown:
    """One resolved value: its key, the value as TOML writes it, and who set it."""

    key: str
    value: str
    origin: str


def canonical_text(settings: Settings) -> str:
    """Write the settings as JSON with sorted keys, laid out as the file is; no secrets.

    Reading it with `from_canonical` and resolving it gives the same settings.
    """
    return _json(_tree(settings))


def config_hash(settings: Settings) -> str:
    """Give SHA-256 of the canonical text without ``engine.store``, in hexadecimal.

    Two runs of one hash were asked for the same, wherever they keep their records.
    """
    tree = _tree(settings)
    del tree["engine"]["store"]
    return hashlib.sha256(_json(tree).encode()).hexdigest()


def from_canonical(text: str, folder: Path | None = None) -> RawConfig:
    """Read a snapshot as if it were a configuration file in ``folder``."""
    return RawConfig(json.loads(text), file="snapshot", folder=folder or Path())


def shown(settings: Settings, raw: RawConfig) -> tuple[Shown, ...]:
    """List every resolved value with its origin: a place, or ``default``."""
    return tuple(
        Shown(dotted(path), _toml(value), raw.place(path) if raw.holds(path) else "default")
        for path, value in _leaves(_tree(settings), ())
    )


def _tree(settings: Settings) -> dict[str, Any]:
    tree = {
        "engine": _dump(settings.engine),
        "plugins": _dump(settings.plugins),
        "venues": {name: _flat(venue) for name, venue in settings.venues.items()},
        "strategies": {name: _flat(strategy) for name, strategy in settings.strategies.items()},
        "risk": {name: _dump(rule) for name, rule in settings.risk.items()},
    }
    if settings.alerts:
        tree["alerts"] = {name: _dump(one) for name, one in settings.alerts.items()}
    return tree


def _dump(model: BaseModel) -> dict[str, Any]:
    # TOML has no null, so a key that is not set is a key that is not there.
    return _masked(model.model_dump(mode="json", exclude_none=True, by_alias=True))


def _masked(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: MASK if _hides(key, value) else _masked(value) if isinstance(value, dict) else value
        for key, value in tree.items()
    }


def _hides(key: str, value: object) -> bool:
    # Where a secret is may be read; what it is may not.
    try:
        return is_secret(key) and not secret_reference(str(value))
    except ValueError:
        return True


def _flat(model: BaseModel) -> dict[str, Any]:
    tree = _dump(model)
    return {**{key: tree[key] for key in tree if key != _NESTED}, **tree[_NESTED]}


def _json(tree: object) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _leaves(node: Mapping[str, Any], path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        elif path or value != {}:
            yield (*path, key), value


def _toml(value: object) -> str:
    # JSON writes texts, numbers, truth and lists of them as TOML does.
    return json.dumps(value, ensure_ascii=False)
