"""Test plugins with the tools the engine tests itself with: virtual time and scripted venues."""

__all__: list[str] = []
