"""Draw what must be random: the Ids seam, from the system or from a seed."""

from __future__ import annotations

import hashlib
import os
import random

__all__ = ["SeededIds", "SystemIds"]

_TAG_BITS = 30


class SystemIds:
    """Randomness from the operating system; nothing can be repeated."""

    def instance_tag(self) -> int:
        """Draw 30 bits."""
        return int.from_bytes(os.urandom(4), "big") >> 2

    def random(self, purpose: str) -> random.Random:
        """Make a generator from fresh entropy; ``purpose`` keeps it apart from others."""
        return random.Random(os.urandom(16) + purpose.encode())  # noqa: S311 - jitter, no secrets


class SeededIds:
    """The same randomness for the same seed, independent for each purpose."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def instance_tag(self) -> int:
        """Give 30 bits of the seed's own."""
        return self.random("instance tag").getrandbits(_TAG_BITS)

    def random(self, purpose: str) -> random.Random:
        """Make the purpose's generator anew: two calls give equal generators."""
        digest = hashlib.sha256(f"{self._seed}:{purpose}".encode()).digest()
        return random.Random(digest)  # noqa: S311 - simulation, no secrets
