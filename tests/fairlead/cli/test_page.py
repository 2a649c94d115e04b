import json
import re
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]  # ships no types

from fairlead.cli.page import write_page
from fairlead.cli.page_data import FillPoint, StrategyData, Thinned, collect
from fairlead.cli.page_plot import inventory_figure, level_figure, pnl_figure, price_figure
from fairlead.errors import UsageError
from fairlead.store import RuleEnded, RuleFired, TraceWriter
from tests.fairlead.cli.made import BUY, SELL, make_run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("runs") / "demo-1"
    make_run(folder)
    html = write_page(folder).read_text(encoding="utf-8")
    assert html.count(get_plotlyjs()) == 1
    return html.replace(get_plotlyjs(), "")


def figures(page: str) -> dict[str, dict[str, list[dict[str, object]]]]:
    match = re.search(r'<script id="figures" type="application/json">(.*?)</script>', page, re.S)
    assert match is not None
    found: dict[str, dict[str, list[dict[str, object]]]] = json.loads(match[1])
    return found


def test_the_page_loads_nothing_from_elsewhere(page: str) -> None:
    assert "http" not in page
    assert re.findall(r"<(?:link|img|iframe)\b|\bsrc=", page) == []


def test_the_plots_stand_in_their_order(page: str) -> None:
    assert re.findall(r'<div id="(\w+)-0">', page) == [
        "price",
        "pnl",
        "inventory",
        "markout",
        "level",
    ]
    assert list(figures(page)) == ["price-0", "pnl-0", "inventory-0", "markout-0", "level-0"]


def test_fills_are_triangles_coloured_by_their_10_s_markout(page: str) -> None:
    traces = {trace["name"]: trace for trace in figures(page)["price-0"]["data"]}

    buys, sells = traces["buys"]["marker"], traces["sells"]["marker"]
    assert isinstance(buys, dict)
    assert isinstance(sells, dict)
    assert (buys["symbol"], buys["color"]) == ("triangle-up", [-20.5])
    assert (sells["symbol"], sells["color"]) == ("triangle-down", [8.0])


def test_a_band_is_broken_where_nothing_was_quoted(page: str) -> None:
    traces = {trace["name"]: trace for trace in figures(page)["price-0"]["data"]}

    heights = traces["own bids"]["y"]
    assert isinstance(heights, list)
    assert heights.count(None) == 2


def test_risk_states_are_shaded_from_their_beginning_to_their_end(page: str) -> None:
    layout = figures(page)["inventory-0"]["layout"]

    (shape,) = layout["shapes"]  # type: ignore[call-overload]  # JSON of any shape
    assert shape["name"] == "REDUCING"
    assert shape["x1"] - shape["x0"] == 55_000


def test_pauses_by_rules_are_shaded_for_their_market_until_they_end(tmp_path: Path) -> None:
    brake, market, other = "one_sided_fills", "main:ALT/USDT", "main:BTC/USDT"
    trace = TraceWriter(tmp_path / "events.jsonl.gz")
    for number, (at_ns, record) in enumerate(
        [
            (10, RuleFired(brake, market, "BUY paused", "5 fills")),
            (15, RuleFired("crash_pause", other, "paused", "fell")),
            (17, RuleFired("markout_brake", market, "spread x 2", "bad")),
            (20, RuleFired("losses", "", "REDUCING, SELL paused", "lost")),
            (40, RuleEnded(brake, market, "BUY paused", 30)),
        ]
    ):
        trace.write(number, at_ns, record)
    trace.close()

    found = collect(tmp_path).restraints(market)

    assert found == [(10, 40, "BUY paused"), (20, None, "SELL paused")]
    shapes = inventory_figure(StrategyData(), "ALT", None, found)["layout"]["shapes"]
    assert [shape["name"] for shape in shapes] == ["BUY paused", "SELL paused"]


def test_the_worst_fills_link_to_their_reasons_in_the_same_page(page: str) -> None:
    links = re.findall(r'<a href="#(order-\w+)">', page)

    assert links == [f"order-{BUY.short}", f"order-{SELL.short}"]
    for link in links:
        assert f'<article id="{link}">' in page
    assert "tick 0.0001" in page


def test_what_the_run_wrote_cannot_become_markup(tmp_path: Path) -> None:
    folder = tmp_path / "a<b>"
    make_run(folder)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    report["summary"]["notes"] = ["</script><b>"]
    report["summary"]["strategies"]["alt"]["base"] = "</script><b>"
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")

    html = write_page(folder).read_text(encoding="utf-8")

    assert "a<b>" not in html
    assert "</script><b>" not in html


def test_a_folder_without_a_report_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no report\.json"):
        write_page(tmp_path)


def test_a_long_series_keeps_a_bounded_number_of_points_and_its_last() -> None:
    series: Thinned[int] = Thinned(100)
    for number in range(12_345):
        series.add(number)

    kept = series.items()

    assert series.thinned
    assert 100 <= len(kept) <= 201
    assert kept[0] == 0
    assert kept[-1] == 12_344
    assert kept == sorted(kept)


def test_a_short_series_keeps_everything() -> None:
    series: Thinned[int] = Thinned(100)
    for number in range(7):
        series.add(number)

    assert series.items() == list(range(7))
    assert not series.thinned


def point(n: int, bps: float | None, level: int = 0) -> FillPoint:
    return FillPoint(n, n, str(n), str(n), "BUY", level, "100", "1", None, {"10s": bps})


def test_only_the_ten_worst_fills_are_kept_the_worst_first() -> None:
    data = StrategyData()
    for n in range(50):
        data.add_fill(point(n, float(-(n * 37 % 50))))
    data.add_fill(point(99, None))

    assert [fill.after_10s for fill in data.worst] == [-float(49 - n) for n in range(10)]


def test_fills_are_grouped_by_level_and_hour() -> None:
    data = StrategyData()
    data.add_fill(point(1, 2.0, level=0))
    data.add_fill(point(2, 4.0, level=0))
    data.add_fill(point(3, None, level=1))

    assert data.levels[0].markout.mean == 3.0
    assert (data.levels[1].fills, data.levels[1].markout.mean) == (1, None)
    assert data.hours[0].fills == 3


def test_plots_of_a_run_without_anything_are_empty_and_not_an_error() -> None:
    data = StrategyData()

    for figure in (price_figure(data), pnl_figure(data, "USDT"), level_figure(data)):
        assert figure["layout"]


def test_a_fill_that_was_never_followed_is_still_shown(tmp_path: Path) -> None:
    folder = tmp_path / "demo-1"
    make_run(folder)
    whole = collect(folder).strategies["alt"].fills.items()

    assert [fill.side for fill in whole] == ["BUY", "SELL"]
    assert whole[1].bps.get("60s") is None
