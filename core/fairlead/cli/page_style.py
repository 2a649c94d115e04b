"""Dress the page: one style for light and dark, one script that draws the figures."""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
:root { color-scheme: light dark; --back: #f6f7f9; --card: #ffffff; --ink: #1d2733;
  --soft: #6b7685; --line: #dfe3e8; --gain: #0a8f63; --loss: #c8371f; --mark: #2f6fb0; }
@media (prefers-color-scheme: dark) { :root { --back: #12161b; --card: #1a2027; --ink: #e4e9ef;
  --soft: #93a0b0; --line: #2b333d; --gain: #35c48d; --loss: #f0765f; --mark: #7fb3e6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, main { max-width: 1240px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 24px; }
h1 { font-size: 22px; margin: 8px 0 14px; }
h2 { font-size: 17px; margin: 0; }
section, article, header > pre { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; padding: 16px 18px; margin: 14px 0; }
section > p { color: var(--soft); margin: 2px 0 6px; max-width: 90ch; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 12px; }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 12px 14px; display: flex; flex-direction: column; }
.cards span, .cards small { color: var(--soft); font-size: 13px; }
.cards b { font-size: 20px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.gain { color: var(--gain); } .loss { color: var(--loss); }
.buy { color: var(--gain); } .sell { color: var(--loss); }
pre { font: 12.5px/1.55 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-x: auto; }
article pre { margin: 0; }
article:target { outline: 2px solid var(--mark); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 10px; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
a { color: var(--mark); text-decoration: none; } a:hover { text-decoration: underline; }
td a { font-family: ui-monospace, Menlo, Consolas, monospace; }
"""

SCRIPT = """
const figures = JSON.parse(document.getElementById("figures").textContent);
for (const [place, figure] of Object.entries(figures)) {
  Plotly.newPlot(place, figure.data, figure.layout, config);
}
"""
