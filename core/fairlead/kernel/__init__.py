"""Run the engine: seams, plugin loading, composition and the tick."""

__all__: list[str] = []
