"""Make a small recording of a market that moves up and down, second by second."""

from pathlib import Path

START_NS = 1_723_161_253_000_000_000
CONFIG = """
[engine]
instance = "rec"
mode = "paper"
currency = "USDT"
store = "sqlite:///rec.db"
[plugins]
enable = ["paper", "pmm", "risk"]
[venues.main]
connector = "paper"
source = "file:{source}"
balances = {{ BTC = "100", USDT = "10000" }}
[strategies.btc]
controller = "pmm"
market = "main:BTC/USDT"
spread = "2 bps"
levels = {{ count = 1, step = "1 bps" }}
order_size = "250 USDT"
refresh = {{ every = "1 s", keep_within = "0.1 bps" }}
"""
_SNAPSHOT = '{"lastUpdateId":10,"bids":[%s],"asks":[%s]}'
_DIFF = (
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":%d,"s":"BTCUSDT","U":%d,'
    '"u":%d,"b":[["%s","%s"]],"a":[]}}'
)
_TRADE = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":%d,"s":"BTCUSDT","t":%d,"p":"%s","q":"%s",'
    '"T":%d,"m":%s,"M":true}}'
)


def lines(seconds: int) -> list[str]:
    """Give the lines of a recording: a snapshot, ten diffs a second and two prints."""
    bids = ",".join(f'["{99.99 - level / 100:.2f}","4.{level % 10}"]' for level in range(20))
    asks = ",".join(f'["{100.01 + level / 100:.2f}","3.{level % 10}"]' for level in range(20))
    found = [f"{START_NS} {_SNAPSHOT % (bids, asks)}"]
    for number in range(seconds * 10):
        at_ns = START_NS + (number + 1) * 100_000_000
        at_ms = at_ns // 1_000_000
        size = f"{3 + number % 3}.0"
        found.append(f"{at_ns} {_DIFF % (at_ms, 11 + number, 11 + number, '99.90', size)}")
        if number % 5 == 0:
            sold = number % 2 == 0
            price = "99.97" if sold else "100.03"
            text = _TRADE % (at_ms, number, price, "5.0", at_ms, str(sold).lower())
            found.append(f"{at_ns} {text}")
    return found


def configured(folder: Path, source: str) -> str:
    """Write a configuration that runs on a recording, and give its name."""
    (folder / "rec.toml").write_text(CONFIG.format(source=source))
    return "rec.toml"
