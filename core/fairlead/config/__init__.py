"""Read and check plugins.toml: one model per table, unknown keys refused."""

__all__: list[str] = []
