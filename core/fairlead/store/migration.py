"""Bring a database to this version's tables, or refuse it in one line and leave it untouched.

Alembic and SQLAlchemy are imported only when there is something to migrate.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from fairlead.errors import StoreError
from fairlead.store.failure import store_error

__all__ = ["HEAD", "MIGRATIONS", "is_current", "migrate"]

#: The revision that this version writes; the last file in ``migrations/versions``.
HEAD = "0003"
#: Where the migrations are.
MIGRATIONS = Path(__file__).with_name("migrations")


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return sorted(name for (name,) in rows if not name.startswith("sqlite_"))


def _revision(connection: sqlite3.Connection, place: str) -> str | None:
    tables = _tables(connection)
    if not tables:
        return None
    if "alembic_version" not in tables or "instances" not in tables:
        raise StoreError(
            place,
            f"holds tables of something else ({', '.join(tables[:3])}); name another database",
        )
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise StoreError(place, "has tables but no revision; restore it from a backup")
    return str(row[0])


def is_current(connection: sqlite3.Connection, place: str, head: str = HEAD) -> bool:
    """Tell whether the tables are this version's; False = empty or older. Writes nothing.

    :raises StoreError: when the database belongs to something else.
    """
    return _revision(connection, place) == head


def migrate(connection: sqlite3.Connection, place: str, folder: Path = MIGRATIONS) -> None:
    """Go forward to the last revision in ``folder``, in one commit; what is stored stays.

    ``connection`` must be in autocommit mode.

    :raises StoreError: when the stored revision is unknown here; nothing is written then.
    """
    from alembic import command  # noqa: PLC0415 - half a second that most starts do not need
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above
    from sqlalchemy import Connection, StaticPool, create_engine, event  # noqa: PLC0415 - as above
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    revision = _revision(connection, place)
    if revision is not None and revision not in known:
        raise StoreError(
            place,
            f"has schema revision {revision!r}, unknown to this Fairlead, which knows up to"
            f" {known[0]!r}; update Fairlead or name another database",
        )
    # The engine borrows the connection and is never disposed of: that would close it.
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)

    @event.listens_for(engine, "begin")
    def _begin(borrowed: Connection) -> None:
        # Python's driver would begin only before an INSERT, and leave half a migration behind
        # when the process is killed.
        borrowed.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.begin() as borrowed:
            config.attributes["connection"] = borrowed
            command.upgrade(config, "head")
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise store_error(place, error.orig) from error
        raise
