"""Write and read client order ids: 90 bits that say whose order it is and which one.

30 bits instance tag, 20 bits epoch, 40 bits counter, as 18 characters of lower-case base32
(``a``-``z`` and ``2``-``7``), most significant first: 6 characters tag, 4 epoch, 8 counter. The
tag is random and stored with the instance, the epoch rises with every start, the counter with
every order, so an id is made once and never again.
"""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

__all__ = ["CLIENT_ID_LENGTH", "ClientId"]

CLIENT_ID_LENGTH = 18
_TAG_BITS, _EPOCH_BITS, _COUNTER_BITS = 30, 20, 40
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}


@dataclass(frozen=True, slots=True, order=True)
class ClientId:
    """The three numbers of a client order id."""

    tag: int
    epoch: int
    counter: int

    def __post_init__(self) -> None:
        for name, bits in (("tag", _TAG_BITS), ("epoch", _EPOCH_BITS), ("counter", _COUNTER_BITS)):
            if not 0 <= getattr(self, name) < 1 << bits:
                raise ValueError(f"{name} {getattr(self, name)} does not fit {bits} bits")

    @override
    def __str__(self) -> str:
        number = (self.tag << _EPOCH_BITS | self.epoch) << _COUNTER_BITS | self.counter
        return "".join(
            _ALPHABET[number >> shift & 31] for shift in range(5 * (CLIENT_ID_LENGTH - 1), -1, -5)
        )

    @property
    def short(self) -> str:
        """Give the counter's 8 characters: the name of the order within its run."""
        return str(self)[-8:]

    @classmethod
    def parse(cls, text: str) -> ClientId | None:
        """Read an id, or give None when it is not one of Fairlead's."""
        if len(text) != CLIENT_ID_LENGTH or any(letter not in _VALUES for letter in text):
            return None
        number = 0
        for letter in text:
            number = number << 5 | _VALUES[letter]
        return cls(
            tag=number >> (_EPOCH_BITS + _COUNTER_BITS),
            epoch=number >> _COUNTER_BITS & (1 << _EPOCH_BITS) - 1,
            counter=number & (1 << _COUNTER_BITS) - 1,
        )
