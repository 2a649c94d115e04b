"""Trade play money: a venue without a network that fills against market data."""

__all__: list[str] = []
