"""``kill -9`` at every point of the order path and the store, and again while it recovers.

The points are enumerated by wrapped seams (`kill_points`); each process is a fork of a warm parent
and really dies, the venue lives on in this one (`kill_bridge`). After each: a new engine on the
same database finds everything, sends nothing twice and ends clean. ``FAIRLEAD_KILL_POINTS`` says
how many processes die, 24 by default; `test_kill_exec` kills some more, started as a user does.
"""

import multiprocessing
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from fairlead.store import open_reader
from fairlead.testing.simulated import EffectKind
from fairlead.testing.simulation.audit import books_differ
from tests.system.kill_bridge import SECOND, VenueSide
from tests.system.kill_child import SCENARIO, Task, live

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

KILLS = int(os.environ.get("FAIRLEAD_KILL_POINTS", "24"))
SHARES = 4
#: Of three processes that die one is followed by one that dies too, while it recovers.
AGAIN_EVERY = 3
FIRST_NS = 12 * SECOND
LAST_NS = 6 * SECOND
DOWN_NS = 3 * SECOND
INSTANCE = SCENARIO.settings.engine.instance


@pytest.fixture(scope="module")
def forks() -> multiprocessing.context.ForkServerContext:
    """Processes that need not import everything each time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.system.kill_child", "fairlead.store.schema", "alembic.command"]
    )
    return context


class Case:
    """A venue, a folder, and the engines that live and die on them."""

    def __init__(
        self, forks: multiprocessing.context.ForkServerContext, folder: Path, seed: int
    ) -> None:
        folder.mkdir()
        self.folder = folder
        self.seed = seed
        self.side = VenueSide(seed)
        self.side.venue.knobs.partial = 0.5
        self.side.venue.knobs.answer_lost = 0.03
        self.side.venue.knobs.late = 0.1
        self._forks = forks
        self.created: Counter[str] = Counter()
        self.timeline: list[tuple[str, bool]] = []
        self.side.venue.truth.watch(self._effect)

    def _effect(self, effect: object) -> None:
        kind, name, alive = effect.kind, effect.client_id, effect.live  # type: ignore[attr-defined]  # an Effect
        if kind is EffectKind.CREATED:
            self.created[name] += 1
            self.timeline.append((name, True))
        elif not alive:
            self.timeline.append((name, False))

    def live(self, for_ns: int, kill_at: int = 0) -> list[str]:
        """Run an engine; gives the points that it passed, none when it was killed."""
        task = Task(str(self.folder), self.seed, self.side.clock.now_ns(), for_ns, kill_at)
        ours, theirs = self._forks.Pipe()
        process = self._forks.Process(target=live, args=(theirs, task))
        process.start()
        theirs.close()
        words = self.side.attend(ours)
        process.join(30)
        ours.close()
        self.side.hang_up()
        if words is None:
            assert process.exitcode == -9, f"point {kill_at}: it ended with {process.exitcode}"
            return []
        code, reason, names = words
        assert (process.exitcode, code) == (0, 0), f"point {kill_at}: {reason}"
        return list(names)

    def wrong(self) -> Iterator[str]:
        """Say what is not as it should be, now that the last engine has ended clean."""
        truth = self.side.venue.truth
        yield from (f"{one.client_id} is open" for one in truth.open_orders())
        yield from (f"{name} was sent {n} times" for name, n in self.created.items() if n > 1)
        reader = open_reader(f"sqlite:///{self.folder}/fairlead.db")
        yield from books_differ(reader, INSTANCE, {"main": self.side.venue})
        slots = {
            row["client_id"]: (row["strategy"], row["side"], row["level"])
            for run in reader.runs(INSTANCE)
            for row in reader.orders(run.run_id)
        }
        reader.close()
        yield from (f"{name} is not recorded" for name in self.created if name not in slots)
        live: Counter[tuple[str, str, int]] = Counter()
        for name, begins in self.timeline:
            slot = slots.get(name, ("", "", 0))
            live[slot] += 1 if begins else -1
            if live[slot] > 1:
                yield f"{live[slot]} orders live in slot {slot}"
        yield from self._balances()
        yield from self._incidents()

    def _balances(self) -> Iterator[str]:
        setup = self.side.venue.setup
        totals = {asset: sum(pair) for asset, pair in self.side.venue.truth.balances().items()}
        flows = dict(setup.balances)
        for fill in self.side.venue.truth.fills:
            sign = fill.side.sign
            flows["ALT"] += sign * fill.quantity
            flows["USDT"] -= sign * fill.quantity * fill.price
            flows[fill.fee_asset] -= fill.fee
        yield from (
            f"{asset}: {totals.get(asset)} there, {flow} by the fills"
            for asset, flow in flows.items()
            if totals.get(asset) != flow
        )

    def _incidents(self) -> Iterator[str]:
        # What would mean that our books and the venue's had gone apart.
        connection = sqlite3.connect(self.folder / "fairlead.db")
        rows = connection.execute("SELECT name, detail FROM incidents").fetchall()
        connection.close()
        bad = {"core_failed", "overfill", "illegal_step", "balance_difference", "foreign_fill"}
        yield from (f"{name}: {detail}" for name, detail in rows if name in bad)


def test_the_points_cover_the_order_path_and_the_store(
    forks: multiprocessing.context.ForkServerContext, tmp_path: Path
) -> None:
    case = Case(forks, tmp_path / "dry", seed=1)

    names = case.live(FIRST_NS)

    assert list(case.wrong()) == []
    assert len(names) > 100
    assert {
        *("commit begins", "commit under way", "commit is done"),
        *("submit begins", "submit is done", "cancel begins", "cancel is done"),
        *("request leaves", "request left", "answer came", "arm begins", "arm is done"),
        *("open orders begins", "fills is done", "balances begins", "disarm is done"),
    } <= set(names)
    case.side.close()


@pytest.mark.parametrize("share", range(SHARES))
def test_wherever_it_is_killed_the_next_engine_makes_everything_right(
    forks: multiprocessing.context.ForkServerContext, tmp_path: Path, share: int
) -> None:
    dry = Case(forks, tmp_path / "dry", seed=share + 1)
    points = len(dry.live(FIRST_NS))
    dry.side.close()
    stride = next(prime for prime in (89, 97) if points % prime)  # so each point has its turn
    killed = 0
    wrong: list[str] = []

    for number in count():
        if killed >= KILLS // SHARES:
            break
        seed, place = share + 1 + SHARES * (number // points), number % points
        kill_at = 1 + (place * stride + share * points // SHARES) % points
        case = Case(forks, tmp_path / str(number), seed)
        if not case.live(FIRST_NS, kill_at):
            killed += 1
            case.side.wait(DOWN_NS)
        if number % AGAIN_EVERY == 0:
            # 1 is the run's first commit; a recovery passes dozens.
            killed += not case.live(LAST_NS, 1 + number % 40)
            case.side.wait(DOWN_NS)
        case.live(LAST_NS)
        wrong += [f"seed {seed}, point {kill_at}: {what}" for what in case.wrong()]
        case.side.close()

    assert wrong == []
