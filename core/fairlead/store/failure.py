"""Say what SQLite refused in one line that tells what would help."""

from __future__ import annotations

import sqlite3

from fairlead.errors import StoreError

__all__ = ["store_error"]

_PRIMARY = 0xFF  # SQLite's extended codes carry the primary one in their low byte

_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk is full; make room, then start again",
    sqlite3.SQLITE_BUSY: "another process holds the database; stop it or name another database",
    sqlite3.SQLITE_LOCKED: "another process holds the database; stop it or name another database",
    sqlite3.SQLITE_READONLY: "it may not be written; make the file and its folder writable",
    sqlite3.SQLITE_PERM: "it may not be opened; make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; its folder must exist and be writable",
    sqlite3.SQLITE_NOTADB: "the file is not a SQLite database; name another one",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; restore it from a backup",
    sqlite3.SQLITE_IOERR: "the disk failed; check it, then start again",
    sqlite3.SQLITE_CONSTRAINT: "a record contradicts what is stored",
}


def store_error(place: str, error: sqlite3.Error) -> StoreError:
    """Make a `StoreError` of what the driver raised; SQLite's own words stand in brackets."""
    # The driver's own complaints, such as a closed connection, carry no code.
    code = getattr(error, "sqlite_errorcode", None)
    sentence = _SENTENCES.get(code & _PRIMARY) if isinstance(code, int) else None
    return StoreError(place, f"{sentence} ({error})" if sentence else str(error))
