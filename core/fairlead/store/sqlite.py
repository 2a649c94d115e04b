"""Open the database that a URL names, or say in one line why that is not possible."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote, urlsplit

from fairlead.errors import StoreError
from fairlead.store.database import Database, Durability
from fairlead.store.failure import store_error
from fairlead.store.migration import is_current, migrate
from fairlead.store.writer import InlineWriter, QueuedStore, ThreadedWriter

__all__ = ["memory_database", "open_database", "open_store", "store_path"]

_SCHEME = "sqlite:///"
_MEMORY = ":memory:"
#: How long to wait for another process that is writing.
_PATIENCE_MS = 5_000


def store_path(url: str) -> str:
    """Give the file that ``sqlite:///FILE`` names, or ``:memory:``.

    :raises StoreError: when it names none; the text carries no credentials.
    """
    if url.startswith(_SCHEME) and len(url) > len(_SCHEME):
        return url.removeprefix(_SCHEME)
    parts = urlsplit(url)
    shown = url if parts.username is None else f"{parts.scheme}://…@{parts.hostname}{parts.path}"
    raise StoreError(shown, 'write "sqlite:///FILE", e.g. "sqlite:///fairlead.db"')


def open_store(
    url: str, *, durability: Durability, inline: bool, patience_ms: int = _PATIENCE_MS
) -> QueuedStore:
    """Open the database for writing, made or brought up to date where that is needed.

    ``inline`` commits in the caller, for virtual time; else a thread of the store's does. A
    relative file is relative to the working folder. `QueuedStore.begin_run` comes next.

    :raises StoreError: when the database cannot be used; a foreign or newer one is untouched.
    """
    database = open_database(url, durability, patience_ms=patience_ms)
    return InlineWriter(database) if inline else ThreadedWriter(database)


def open_database(
    url: str,
    durability: Durability = Durability.FULL,
    *,
    read_only: bool = False,
    patience_ms: int = _PATIENCE_MS,
) -> Database:
    """Open the database itself; ``read_only`` makes no file and changes none.

    :raises StoreError: as `open_store`, and when ``read_only`` finds no current database.
    """
    path = store_path(url)
    _check_place(url, path, read_only=read_only)
    try:
        connection = _connect(path, read_only=read_only, patience_ms=patience_ms)
    except sqlite3.Error as error:
        raise store_error(url, error) from error
    try:
        _prepare(connection, url, read_only=read_only)
        return Database(connection, url, durability)
    except sqlite3.Error as error:
        connection.close()
        raise store_error(url, error) from error
    except StoreError:
        connection.close()
        raise


def memory_database(place: str, durability: Durability, base: Database | None = None) -> Database:
    """Make a database in memory: empty, or a copy of ``base``."""
    connection = _connect(_MEMORY, read_only=False, patience_ms=0)
    if base is None:
        migrate(connection, place)
    else:
        base.copy_to(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    return Database(connection, place, durability)


def _connect(path: str, *, read_only: bool, patience_ms: int) -> sqlite3.Connection:
    name = path if path == _MEMORY else f"file:{quote(path)}?mode={'ro' if read_only else 'rwc'}"
    return sqlite3.connect(
        name,
        uri=True,
        timeout=patience_ms / 1_000,
        isolation_level=None,  # we begin and commit ourselves
        check_same_thread=False,  # begun by the engine's thread, then the writer's alone
    )


def _check_place(url: str, path: str, *, read_only: bool) -> None:
    """Find the usual mistakes before SQLite puts them into its own words."""
    if path == _MEMORY:
        return
    file = Path(path)
    if file.is_dir():
        raise StoreError(url, "is a folder; name a file in it")
    if not file.parent.is_dir():
        raise StoreError(url, f"the folder {file.parent} does not exist; make it first")
    if read_only and not file.is_file():
        raise StoreError(url, "there is no such database; start a run to make it")


def _prepare(connection: sqlite3.Connection, url: str, *, read_only: bool) -> None:
    # First of all, because nothing may be written to what is not ours.
    current = is_current(connection, url)
    if read_only:
        if not current:
            raise StoreError(url, "was written by another version; start a run to update it")
        return
    if not current:
        migrate(connection, url)
    _use_wal(connection, url)
    connection.execute("PRAGMA foreign_keys = ON")
    # Take the write lock once: better to learn now than at the first order.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")


def _use_wal(connection: sqlite3.Connection, url: str) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode not in {"wal", "memory"}:
        raise StoreError(
            url, f"the disk allows no write-ahead log (mode {mode!r}); use a local disk"
        )
