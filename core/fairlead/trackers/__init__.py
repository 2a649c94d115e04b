"""Follow what changes: books, orders and balances, rebuilt from the events alone."""

__all__: list[str] = []
