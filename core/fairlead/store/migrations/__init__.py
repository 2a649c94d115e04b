"""Bring a database of an older version to this version's tables; run by `fairlead.store`.

Each file in ``versions`` is one step forward. There are no steps back: what was recorded is
never thrown away, and an older version refuses a newer database instead of guessing.
"""

__all__: list[str] = []
