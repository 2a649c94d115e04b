"""Hold what must not be seen: it shows itself to nobody who does not ask by name."""

from __future__ import annotations

from typing import NoReturn

from typing_extensions import override

__all__ = ["Secret", "secret_reference"]

_HIDDEN = "***"
_KINDS = ("env:", "file:")


class Secret:
    """A secret text. Printing, formatting, logging and pickling do not give it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the text itself, for the one call that needs it."""
        return self._value

    @override
    def __repr__(self) -> str:
        return _HIDDEN

    @override
    def __str__(self) -> str:
        return _HIDDEN

    @override
    def __format__(self, spec: str) -> str:
        return _HIDDEN

    @override
    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")


def secret_reference(text: str) -> str:
    """Check that a configuration says where a secret is, and not the secret.

    :raises ValueError: otherwise; the text is not repeated.
    """
    if not text.startswith(_KINDS) or not text.partition(":")[2].strip():
        raise ValueError(
            'secrets are never in the file; say where it is: "env:NAME" or "file:PATH"'
        )
    return text
