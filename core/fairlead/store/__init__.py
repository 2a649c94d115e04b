"""Keep what must survive a restart: the journal, orders and fills in a database."""

__all__: list[str] = []
