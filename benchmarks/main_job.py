"""Measure the main job: strategy, risk, store, trace and paper venue over the recorded stream.

Each round is a process of its own, so that its memory can be told::

    python -m benchmarks.main_job FOLDER-OF-RECORDED-DATA
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.book import SPOT
from benchmarks.figure import ROUNDS, Figure
from fairlead.cli.config import configured
from fairlead.kernel import Session, SessionOptions, SystemProcess
from fairlead.model.numbers import install_context
from fairlead.store import Durability, TraceWriter, open_store

__all__ = ["figures"]

_CONFIG = """
[engine]
instance = "bench"
mode = "paper"
currency = "USDT"
store = "sqlite:///bench.db"
[plugins]
enable = ["paper", "pmm", "risk"]
[venues.main]
connector = "paper"
source = "file:{source}"
balances = {{ BTC = "0.5", USDT = "30000" }}
fees = {{ maker = "2 bps", taker = "5 bps" }}
latency = {{ market_data = "20 ms", orders = "40 ms" }}
[strategies.btc]
controller = "pmm"
market = "main:BTC/USDT"
spread = "2 bps"
order_size = "250 USDT"
refresh = {{ every = "1 s", keep_within = "0.1 bps" }}
"""


def figures(data: Path) -> Iterator[Figure]:
    """Measure the whole run, on one core, as fast as possible."""
    command = [sys.executable, "-m", "benchmarks.main_job", str(data)]
    rounds = [
        json.loads(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603 - our own command
        for _ in range(ROUNDS)
    ]
    best = max(rounds, key=lambda one: one["messages"] / one["seconds"])
    yield Figure("main job", best["messages"] / best["seconds"], "messages/s")
    yield Figure("main job, peak memory", max(one["peak_mb"] for one in rounds), "MB")


def _run(data: Path, folder: Path) -> tuple[int, float]:
    source = ",".join(str((data / "binance_l2" / name).resolve()) for name in SPOT)
    config = folder / "plugins.toml"
    config.write_text(_CONFIG.format(source=source), encoding="utf-8")
    found = configured(config, env={})
    session = Session(
        found.settings,
        found.plugins,
        found.offers,
        store=open_store(f"sqlite:///{folder}/bench.db", durability=Durability.NORMAL, inline=True),
        traces=lambda name: TraceWriter(folder / f"{name}.jsonl.gz"),
        process=SystemProcess(folder),
        options=SessionOptions(),
    )
    begin = time.process_time()
    outcome = session.run()
    seconds = time.process_time() - begin
    if outcome.report is None or not outcome.result.proven:
        raise RuntimeError(f"the run failed: {outcome.result}")
    return session.engine.desk.feed.messages, seconds


if __name__ == "__main__":
    install_context()
    with tempfile.TemporaryDirectory() as place:
        messages, seconds = _run(Path(sys.argv[1]), Path(place))
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"messages": messages, "seconds": seconds, "peak_mb": peak_kb / 1024}))
