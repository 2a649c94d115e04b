"""Refuse dangerous orders: the risk rules that ship with the engine."""

__all__: list[str] = []
