"""Specify the hooks through which a plugin offers its parts to the kernel."""

__all__: list[str] = []
