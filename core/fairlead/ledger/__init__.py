"""Account for money: postings that balance, positions and profit in exact decimals."""

__all__: list[str] = []
