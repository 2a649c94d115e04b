"""The main job over the recorded market: it trades, and every identity holds to the last digit.

Bound: 30 s for each run.
"""

import gzip
import hashlib
import json
import subprocess
import sys
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fairlead.store import read_trace
from tests.system.command import FAIRLEAD, call, environment

pytestmark = pytest.mark.system

FILES = ("spot_btcusdt_20240808.jsonl.gz", "spot_btcusdt_20240809.jsonl.gz")
MESSAGES = 99_574
CONFIG = """
[engine]
instance = "recorded"
mode = "paper"
currency = "USDT"
store = "sqlite:///recorded.db"
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


def configured(folder: Path, data: Path) -> None:
    folder.mkdir(exist_ok=True)
    source = ",".join(str(data / "binance_l2" / name) for name in FILES)
    (folder / "plugins.toml").write_text(CONFIG.format(source=source))


@pytest.fixture(scope="module")
def run(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run; its report as it was printed lies in printed.json."""
    folder = tmp_path_factory.mktemp("recorded")
    configured(folder, data_dir)
    done = call("run", "--json", cwd=folder, measured=False)
    assert done.returncode == 0, done.stderr
    (folder / "printed.json").write_text(done.stdout)
    return folder


@pytest.fixture
def report(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "printed.json").read_text())
    return found


def test_both_sides_fill_and_the_book_has_no_gap(run: Path, report: dict[str, Any]) -> None:
    events = list(read_trace(run / "runs/recorded-1/events.jsonl.gz"))

    sides = Counter(event["side"] for event in events if event["kind"] == "fill")
    assert sides["BUY"] > 20
    assert sides["SELL"] > 20
    assert sum(sides.values()) == report["strategies"]["btc"]["fills"]
    assert report["incidents"] == 0
    assert [event for event in events if event["kind"] == "incident"] == []
    assert report["messages"] == MESSAGES
    assert report["overruns"] == 0


def test_profit_is_the_sum_of_its_parts(report: dict[str, Any]) -> None:
    pnl = {name: Decimal(part) for name, part in report["strategies"]["btc"]["pnl"].items()}

    assert pnl.pop("total") == sum(pnl.values())
    assert pnl["fees"] < 0
    assert pnl["spread"] != 0


def test_equity_moves_by_the_profit_alone(report: dict[str, Any]) -> None:
    equity = {name: Decimal(figure) for name, figure in report["summary"]["equity"].items()}
    total = sum(Decimal(one["pnl"]["total"]) for one in report["strategies"].values())

    assert equity["end"] - equity["start"] - equity["transfers"] == total
    assert total == Decimal(report["summary"]["pnl"]["total"])


def test_balances_move_by_fills_fees_and_transfers_alone(report: dict[str, Any]) -> None:
    venue = report["venues"]["main"]

    assert set(venue["balances"]) == {"BTC", "USDT"}
    for asset, balance in venue["balances"].items():
        moved = Decimal(balance["end"]) - Decimal(balance["start"])
        parts = [Decimal(venue[part][asset]) for part in ("fills_net", "fees", "transfers")]
        assert moved == parts[0] - parts[1] + parts[2]
        assert parts[1] > 0


def test_the_fills_of_the_trace_are_the_figures_of_the_report(
    run: Path, report: dict[str, Any]
) -> None:
    base = quote = volume = Decimal()
    fees: defaultdict[str, Decimal] = defaultdict(Decimal)
    for event in read_trace(run / "runs/recorded-1/events.jsonl.gz"):
        if event["kind"] == "fill":
            sign = 1 if event["side"] == "BUY" else -1
            quantity, price = Decimal(event["quantity"]), Decimal(event["price"])
            base += sign * quantity
            quote -= sign * quantity * price
            volume += quantity * price
            fees[event["fee_asset"]] += Decimal(event["fee"])

    venue = report["venues"]["main"]
    assert {asset: Decimal(sum_) for asset, sum_ in venue["fills_net"].items()} == {
        "BTC": base,
        "USDT": quote,
    }
    assert {asset: Decimal(sum_) for asset, sum_ in venue["fees"].items()} == dict(fees)
    assert Decimal(report["strategies"]["btc"]["volume_quote"]) == volume


_PEAK_KB = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_a_second_run_is_the_same_to_the_last_line_and_stays_small(
    run: Path, tmp_path: Path, data_dir: Path
) -> None:
    configured(tmp_path, data_dir)
    # A process's peak counts what its parent held when it was forked, so a small one forks it.
    answer = subprocess.run(
        [sys.executable, "-c", _PEAK_KB, FAIRLEAD, "run", "--json"],
        cwd=tmp_path,
        env=environment({"PYTHONHASHSEED": "12345"}, measured=False),
        check=True,
        stdout=subprocess.PIPE,
    )

    traces = [folder / "runs/recorded-1/events.jsonl.gz" for folder in (run, tmp_path)]
    hashes = {hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest() for path in traces}
    assert len(hashes) == 1
    assert int(answer.stdout) < 200 * 1024
