"""Read a configuration before anyone knows what it means: file, environment and ``--set``.

Later sources win: the file, then environment variables, then ``--set``. Every value remembers
where it came from, so that a finding names the place to mend.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any

from fairlead.errors import ConfigError, Finding

__all__ = ["KeyPath", "RawConfig", "dotted", "load"]

#: The keys from the top of the configuration down to a value; list items by their index.
KeyPath = tuple[str | int, ...]

_ENVIRONMENT = re.compile(r"FAIRLEAD_([A-Za-z0-9]+(?:_[A-Za-z0-9]+)*__.+)")
#: Switches batching for every venue of the file.
_BATCHING = "USING_BATCH_ORDER"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_KEY_LINE = re.compile(r"\s*((?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+|[. \t])+?)\s*=")
_AT = re.compile(r"\s*\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")
#: What the TOML reader says → what we say.
_SYNTAX = {
    "Cannot overwrite a value": "this key stands here a second time; keep one",
    "Cannot declare": "this table stands here a second time; keep one",
    "Cannot mutate immutable namespace": "this table was closed above; write the key up there",
    "Invalid value": 'this is no value; put text into quotes, e.g. "1 s"',
    "Unterminated string": "a quote is missing",
    "Illegal character": "a quote is missing, or a character is not allowed here",
    "Unclosed": "a closing bracket is missing",
    "Expected '=' after a key": "write key = value",
    "Expected newline or end of document after a statement": (
        "the line should end here; put text into quotes, one key to a line"
    ),
}


@dataclass(frozen=True, slots=True)
class RawConfig:
    """A configuration as nested tables, and where each value came from."""

    data: Mapping[str, Any]
    #: The file as its user named it; "" where there is none.
    file: str = ""
    #: Relative paths in the configuration are relative to this folder.
    folder: Path = field(default_factory=Path)
    #: The line of each key and table header of the file, from 1.
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    #: What was overridden, and by what.
    overrides: Mapping[KeyPath, str] = field(default_factory=dict)

    def place(self, path: KeyPath) -> str:
        """Say where the value, or else the nearest table around it, was written."""
        for end in range(len(path), 0, -1):
            if (override := self.overrides.get(path[:end])) is not None:
                return override
        line = self.line(path)
        return f"{self.file or 'configuration'}{f':{line}' if line else ''}"

    def line(self, path: KeyPath) -> int:
        """Give the line of the value or of the nearest table around it; 0 = unknown."""
        ends = range(len(path), 0, -1)
        return next((self.lines[path[:end]] for end in ends if path[:end] in self.lines), 0)

    def holds(self, path: KeyPath) -> bool:
        """Tell whether someone wrote this value, be it by a shorter form above it."""
        node: object = self.data
        for part in path:
            if isinstance(node, Mapping):
                if part not in node:
                    return False
                node = node[part]
        return True

    def table(self, key: str) -> Mapping[str, Any]:
        """Give a top-level table; an empty one where it is missing or is no table."""
        value = self.data.get(key, {})
        return value if isinstance(value, Mapping) else {}


def load(
    path: Path | None, sets: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> RawConfig:
    """Read a configuration file and what overrides it.

    :param path: a TOML file; None where only the overrides count.
    :param sets: ``key.below.key=value`` texts; a value is TOML, a bare word a string.
    :param env: environment variables; ``FAIRLEAD_ENGINE__TICK`` sets ``engine.tick``, and
        ``USING_BATCH_ORDER`` sets ``batching`` of every venue of the file.
    :raises ConfigError: with every text that cannot be read.
    """
    data, text, findings = _read(path)
    overrides: dict[KeyPath, str] = {}
    if (batching := (env or {}).get(_BATCHING)) is not None:
        for venue in _tables(data, "venues"):
            switch = ("venues", venue, "batching")
            origin = f"environment variable {_BATCHING}"
            findings += _override(data, switch, batching.strip().lower(), origin, overrides)
    for name, value in sorted((env or {}).items()):
        if match := _ENVIRONMENT.fullmatch(name):
            keys = _spelt(data, match[1].split("__"))
            findings += _override(data, keys, value, f"environment variable {name}", overrides)
    for item in sets:
        keys_of_set, equals, value = item.partition("=")
        keys_read = _keys(keys_of_set) if equals else None
        if keys_read is None:
            findings.append(
                Finding("--set", item, "", 'write KEY=VALUE, e.g. --set engine.tick="2 s"')
            )
        else:
            findings += _override(data, keys_read, value, "--set", overrides)
    if findings:
        raise ConfigError(tuple(findings))
    return RawConfig(
        data,
        file=str(path) if path else "",
        folder=path.parent if path else Path(),
        lines=_lines(text),
        overrides=overrides,
    )


def dotted(path: KeyPath) -> str:
    """Write a path of keys as TOML does; what needs quotes gets them."""
    parts = (
        str(part) if isinstance(part, int) or _BARE_KEY.fullmatch(part) else f'"{part}"'
        for part in path
    )
    return ".".join(parts)


def _read(path: Path | None) -> tuple[dict[str, Any], str, list[Finding]]:
    if path is None:
        return {}, "", []
    try:
        text = path.read_bytes().decode()
        return tomllib.loads(text), text, []
    except FileNotFoundError:
        wrong = Finding(str(path), "file", "", "there is no such file; name one that exists")
    except IsADirectoryError:
        wrong = Finding(str(path), "file", "", "this is a folder; name the file in it")
    except OSError as error:
        wrong = Finding(str(path), "file", "", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        wrong = Finding(
            str(path), f"byte {error.start}", "", "this is no UTF-8 text; save the file as UTF-8"
        )
    except tomllib.TOMLDecodeError as error:
        wrong = _syntax(str(path), str(error))
    return {}, "", [wrong]


def _syntax(file: str, message: str) -> Finding:
    at = _AT.search(message)
    if at and at["line"]:
        place, key = f"{file}:{at['line']}", f"line {at['line']}, column {at['column']}"
    else:
        expected = "it ends too early; close what is open: a quote, a bracket or a table"
        return Finding(file, "end of the file", "", f"not valid TOML: {expected}")
    said = _AT.sub("", message)
    expected = next((ours for theirs, ours in _SYNTAX.items() if said.startswith(theirs)), said)
    return Finding(place, key, "", f"not valid TOML: {expected}")


def _lines(text: str) -> dict[KeyPath, int]:
    # Only for messages: a line inside a multi-line string may be taken for a key, harmlessly.
    found: dict[KeyPath, int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            keys = _keys(stripped.partition("#")[0].strip().strip("[]"))
            table = keys or table
        else:
            match = _KEY_LINE.match(line)
            below = _keys(match[1]) if match else None
            keys = (*table, *below) if below else None
        for end in range(1, len(keys or ()) + 1):
            found.setdefault((keys or ())[:end], number)
    return found


def _keys(text: str) -> tuple[str, ...] | None:
    try:
        node: object = tomllib.loads(f"{text} = 0") if "\n" not in text else None
    except tomllib.TOMLDecodeError:
        return None
    keys = []
    while isinstance(node, dict):
        ((key, node),) = node.items()
        keys.append(key)
    return tuple(keys) or None


def _tables(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    # The names of the tables under a key.
    tables = data.get(key)
    if not isinstance(tables, Mapping):
        return ()
    return tuple(name for name, table in tables.items() if isinstance(table, Mapping))


def _spelt(data: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    """Find the keys that an environment variable's capitals stand for."""
    node: object = data
    keys = []
    for name in names:
        known = list(node) if isinstance(node, Mapping) else []
        # An asset such as ALT keeps its capitals where the file writes them so.
        key = next((key for key in known if key.lower() == name.lower()), name.lower())
        node = node.get(key) if isinstance(node, Mapping) else None
        keys.append(key)
    return tuple(keys)


def _override(
    data: dict[str, Any],
    keys: tuple[str, ...],
    text: str,
    origin: str,
    overrides: dict[KeyPath, str],
) -> list[Finding]:
    node = data
    for depth, key in enumerate(keys[:-1], 1):
        below = node.setdefault(key, {})
        if not isinstance(below, dict):
            return [
                Finding(origin, dotted(keys), text, f"{dotted(keys[:depth])} is no table of keys")
            ]
        node = below
    node[keys[-1]] = _value(text)
    overrides[keys] = origin
    return []


def _value(text: str) -> object:
    """Read a value as TOML; what is none is a string, and so is what only looks like one."""
    try:
        parsed = tomllib.loads(f"value = {text}") if "\n" not in text else {}
    except tomllib.TOMLDecodeError:
        return text
    value = parsed.get("value", text)
    if len(parsed) != 1 or isinstance(value, date | time):
        return text
    if isinstance(value, float) and not math.isfinite(value):
        return text
    return value
