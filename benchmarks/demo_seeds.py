"""Run the demo once for each seed, and draw what it earned.

From the repository root, in the project's environment::

    python benchmarks/demo_seeds.py 1 200 docs/images/synthetic-pnl.svg

Prints the table of ``docs/explanation/synthetic-market.md`` and writes its picture.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main", "picture", "run_demo", "table"]

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-c", "from fairlead.cli import main; raise SystemExit(main())")


def run_demo(seed: int) -> dict[str, float]:
    """Run the demo of the repository once; give its figures as floats, for statistics."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "plugins.toml"
        config.write_bytes((ROOT / "plugins.toml").read_bytes())
        done = subprocess.run(  # noqa: S603 - our own command
            [*COMMAND, "run", "--json", "--set", f"venues.main.seed={seed}", str(config)],
            cwd=folder,
            capture_output=True,
            check=True,
            text=True,
        )
    (strategy,) = json.loads(done.stdout)["strategies"].values()
    pnl = {name: float(amount) for name, amount in strategy["pnl"].items()}
    return {
        **pnl,
        "trading": pnl["total"] - pnl["holding"],
        "fills": strategy["fills"],
        "volume": float(strategy["volume_quote"]),
        "uptime": strategy["uptime"],
        **{f"markout {h}": value or 0.0 for h, value in strategy["markout_bps"].items()},
    }


def table(runs: Sequence[dict[str, float]]) -> str:
    """Write the quantiles over all runs, and the means weighted by volume."""
    rows = [
        "| of one run | 5 % | 25 % | median | 75 % | 95 % | mean |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, label in (
        ("trading", "trading PnL, USDT"),
        ("total", "total PnL with the coin held, USDT"),
        ("fills", "fills"),
    ):
        values = sorted(run[name] for run in runs)
        cuts = [
            values[min(len(values) - 1, int(p * len(values)))]
            for p in (0.05, 0.25, 0.5, 0.75, 0.95)
        ]
        rows.append(
            f"| {label} | "
            + " | ".join(f"{x:.4g}" for x in (*cuts, statistics.fmean(values)))
            + " |"
        )
    volume = sum(run["volume"] for run in runs)
    parts = ", ".join(
        f"{name} {sum(run[name] for run in runs) / volume * 1e4:+.2f}"
        for name in ("spread", "inventory", "fees", "trading")
    )
    markouts = ", ".join(
        f"{h} {sum(run[f'markout {h}'] * run['volume'] for run in runs) / volume:+.2f}"
        for h in ("1s", "10s", "60s")
    )
    trading = [run["trading"] for run in runs]
    error = statistics.stdev(trading) / len(trading) ** 0.5
    rows += [
        "",
        f"In bps of volume: {parts}; markout {markouts}.",
        f"Mean trading PnL {statistics.fmean(trading):+.2f} ± {1.96 * error:.2f} USDT (95 %); "
        f"{sum(value > 0 for value in trading)} of {len(runs)} seeds gained; "
        f"fewest fills {min(run['fills'] for run in runs):.0f}; "
        f"both sides quoted {statistics.fmean(run['uptime'] for run in runs):.1%} of the time.",
    ]
    return "\n".join(rows)


def picture(values: Sequence[float], width: int = 720, height: int = 260) -> str:
    """Draw a histogram, bins of 2 USDT, losses and gains in two colours."""
    step, margin = 2, 36
    first = int(min(values) // step)
    counts = [0] * (int(max(values) // step) - first + 1)
    for value in values:
        counts[int(value // step) - first] += 1
    bar = (width - 2 * margin) / len(counts)
    unit = (height - 2 * margin) / max(counts)
    base = height - margin
    bars, labels = [], []
    for place, count in enumerate(counts):
        x, low = margin + place * bar, (first + place) * step
        colour = "#c0392b" if low < 0 else "#2a7d4f"
        bars.append(
            f'<rect x="{x:.1f}" y="{base - count * unit:.1f}" width="{bar - 2:.1f}" '
            f'height="{count * unit:.1f}" fill="{colour}"><title>{count} seeds from {low} '
            f"to {low + step} USDT</title></rect>"
        )
        if low % 10 == 0:
            labels.append(f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{low:+d}</text>')
    mean = margin + (statistics.fmean(values) / step - first) * bar
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" fill="#555">\n'
        f"<title>Trading PnL of the demo over {len(values)} seeds</title>\n"
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n'
        + "\n".join(bars)
        + f'\n<path d="M{margin} {base}H{width - margin}" stroke="#999"/>\n'
        + f'<path d="M{mean:.1f} {margin - 10}V{base}" stroke="#222" stroke-dasharray="4 3"/>\n'
        + f'<text x="{mean + 6:.1f}" y="{margin}">mean {statistics.fmean(values):+.2f}</text>\n'
        + "\n".join(labels)
        + f'\n<text x="{width / 2}" y="{height - 4}" text-anchor="middle">'
        f"trading PnL of 30 simulated minutes, USDT ({len(values)} seeds)</text>\n</svg>\n"
    )


def main(first: int, last: int, target: Path) -> None:
    """Run seeds ``first`` to ``last``, print the table, write the picture."""
    runs = [run_demo(seed) for seed in range(first, last + 1)]
    target.write_text(picture([run["trading"] for run in runs]), encoding="utf-8")
    print(table(runs))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
