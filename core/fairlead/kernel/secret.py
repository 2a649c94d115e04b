"""Read secrets from where a configuration says they are: the environment, or an owner's file."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from fairlead.api import Secret

__all__ = ["read_secret"]


def read_secret(reference: str, folder: Path, env: Mapping[str, str]) -> Secret:
    """Give what ``env:NAME`` or ``file:PATH`` holds; a relative path lies in ``folder``.

    :raises ValueError: when there is nothing, or others may read the file; never with the secret.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        value = env.get(place, "")
        if not value:
            raise ValueError(f"the environment variable {place} is not set")
        return Secret(value)
    path = folder / place
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ValueError(f"{path} can be read by others; chmod 600 it")
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read") from error
    if not text:
        raise ValueError(f"{path} is empty")
    return Secret(text)
