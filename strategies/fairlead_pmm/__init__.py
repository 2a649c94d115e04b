"""Quote both sides of one market: pure market making around a reference price."""

__all__: list[str] = []
