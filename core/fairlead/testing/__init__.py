"""Test plugins with the tools the engine tests itself with: virtual time and scripted venues."""

from fairlead.testing.disk import MemoryDisk

__all__ = [
    "MemoryDisk",
]
