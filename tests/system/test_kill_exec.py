"""``kill -9`` of ``fairlead run``, started as a user starts it, again and again on one account.

Bound: 60 s. Where it dies is left to the machine; `test_kill_points` goes through the points.
``FAIRLEAD_KILL_EXECS`` says how many processes die, 4 by default.
"""

import os
import sqlite3
import subprocess
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests.system.rehearsal import Rehearsal, served, until

EXECS = int(os.environ.get("FAIRLEAD_KILL_EXECS", "4"))

pytestmark = [pytest.mark.system, pytest.mark.timeout(120 + 6 * EXECS)]


def test_however_often_it_is_killed_nothing_is_sent_twice_and_the_books_are_the_venues(
    tmp_path: Path,
) -> None:
    with served(tmp_path) as venue:
        rehearsal = Rehearsal(tmp_path, venue, measured=False)

        for number in range(EXECS):
            engine = rehearsal.start()
            if number % 3 == 0:
                # It has orders out; the others die while they start and take those up.
                until(lambda: venue.open() != [], "it has begun to quote")
            with pytest.raises(subprocess.TimeoutExpired):
                engine.wait(0.1 + 0.9 * (number * 7 % EXECS) / EXECS)
            engine.kill()
            assert engine.wait(10) == -9
        last = rehearsal.call("run", "--for", "1 s", "--json")
        truth = venue.truth()
        rehearsal.end()

    assert last.returncode == 0, last.stderr
    assert truth["open"] == []
    created = Counter(one["client_id"] for one in truth["effects"] if one["kind"] == "created")
    assert [name for name, times in created.items() if times > 1] == []
    database = sqlite3.connect(tmp_path / "fairlead.db")
    recorded = {name for (name,) in database.execute("SELECT client_id FROM orders")}
    assert sorted(set(created) - recorded) == []
    ends = dict(database.execute("SELECT client_id, after FROM transitions ORDER BY run_id, seq"))
    assert [name for name in recorded if ends.get(name) not in CLOSED] == []
    booked = database.execute("SELECT trade_id, client_id, quantity FROM fills").fetchall()
    database.close()
    assert sorted((trade, name, Decimal(quantity)) for trade, name, quantity in booked) == sorted(
        (one["trade_id"], one["client_id"], Decimal(one["quantity"])) for one in truth["fills"]
    )


CLOSED = ("FILLED", "CANCELLED", "REJECTED", "EXPIRED")
