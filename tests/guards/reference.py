"""Write the reference that comes from the code: configuration keys, hooks, commands, and tables.

Some pages are written whole; in others only the blocks between two comments are.

Run from the repository root::

    python -m tests.guards.reference

A guard test fails while a page is older than the code.
"""

import inspect
import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import fairlead.hookspecs
from fairlead.api import Amount, ClockTime, Duration, Exact, Offers, Ratio, Share
from fairlead.config import EngineSettings, PluginsSettings, StrategySettings, VenueSettings
from fairlead.kernel.plugins import load_plugins
from fairlead.model import MarketId
from fairlead.model.numbers import install_context
from tests.guards.reference_block import blocks_of, with_blocks
from tests.guards.reference_command import command_page
from tests.guards.reference_executor import executor_page
from tests.guards.reference_risk import risk_blocks

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = DOCS / "reference"
BUILT_IN = ("alerts", "paper", "pmm", "risk")
NOTE = "<!-- Written by `python -m tests.guards.reference`; change the code, not this page. -->"

KINDS: Mapping[object, str] = {
    Amount: "amount",
    Duration: "duration",
    ClockTime: "time of day",
    Exact: "exact number",
    Ratio: "ratio",
    Share: "share",
    MarketId: "market",
    Decimal: "exact number",
    bool: "true or false",
    int: "whole number",
    str: "text",
}

CONFIGURATION = """\
# Configuration

{note}

A configuration is one TOML file, `plugins.toml` in the working folder unless a command names
another. `fairlead config check` says everything that is wrong with one at once, `fairlead config
show` which values are in force and who set them, `fairlead config schema` gives editors the JSON
Schema of it.

**Who wins.** The file, then environment variables, then `--set`. `FAIRLEAD_ENGINE__TICK="2 s"`
and `--set engine.tick="2 s"` both set `tick` in `[engine]`: two underscores stand for the dot. A
value is written as in TOML; a bare word is a text. Keys that need quotes keep them:
`--set 'venues.main.instruments."BTC/USDT".tick="0.01"'`. One variable has a name of its own:
`USING_BATCH_ORDER` (`true` or `false`) sets `batching` of every venue of the file.

**Units.** A value carries its unit; a bare number where a unit is due is refused.

| Kind | Written as | Meaning |
|---|---|---|
| duration | `"250 ms"`, `"1 s"`, `"10 min"`, `"2 h"`, `"1 d"` | a length of time; also `us`, `ns` |
| ratio | `"8 bps"`, `"0.5%"` | a part of a price or an amount; 1 bps is 0.01% |
| share | `"50%"` | a part of a whole, from `"0%"` to `"100%"` |
| amount | `"250 USDT"`, `"0.01 BTC"` | a quantity of an asset; the asset decides what is meant |
| exact number | `"0.001"`, `"2500"` or `2500` | a decimal that must stay exact, hence a text |
| time of day | `"00:00 UTC"` | 24 hours, always UTC |
| market | `"main:BTC/USDT"`, `"main:BTC/USDT:USDT"` | the venue's name, a colon, the symbol |

**Places.** A relative path is relative to the configuration file. Secrets are never in it.

**Names** of instances, venues and strategies are made of `a-z`, `0-9` and `_`, begin with a
letter and do not contain `__`.
"""

HOOKS = """\
# Hooks

{note}

A plugin is an import package that is registered under the entry-point group `fairlead` and
implements some of these hooks. It marks each implementation with `fairlead.hookimpl` and may leave
out arguments that it does not need. [Write a plugin](../tutorial/write-a-plugin.md) builds one from
nothing.

```python
from fairlead import hookimpl


@hookimpl
def fairlead_filled(fill, slot):
    print(slot.strategy, fill.side, fill.quantity, "at", fill.price)
```

Only plugins that `[plugins] enable` names are imported; without that list, all that came with the
engine. A hook or an argument that is not on this page stops the start-up with one line that names
the plugin and its distribution.
"""


def pages() -> dict[Path, str]:
    """Give every page that is generated, or has blocks that are, with its text."""
    offers = load_plugins(BUILT_IN).register_offers()
    blocks = blocks_of(offers) | risk_blocks(offers, table)
    return {
        PAGES / "configuration.md": configuration(offers),
        PAGES / "hooks.md": hooks(),
        PAGES / "commands.md": command_page(NOTE),
        PAGES / "executors.md": executor_page(NOTE, offers, table),
        **{
            page: with_blocks(page.read_text(encoding="utf-8"), blocks)
            for page in sorted(DOCS.rglob("*.md"))
            if "<!-- begin " in page.read_text(encoding="utf-8")
        },
    }


def configuration(offers: Offers) -> str:
    parts = [CONFIGURATION.format(note=NOTE)]
    parts += section("`[engine]`", EngineSettings)
    parts += section("`[plugins]`", PluginsSettings)
    parts += section("`[venues.NAME]`", VenueSettings)
    for offer in offers.connectors.values():
        parts += section(f'Connector `"{offer.name}"`', offer.config, offer.summary, offer.plugin)
    parts += ["## Data sources", "", "What a paper venue's `source` may name.", ""]
    parts += ["| Source | What it is | Plugin |", "|---|---|---|"]
    parts += [
        f"| `{offer.name}:…` | {offer.summary} | {offer.plugin} |"
        for offer in offers.sources.values()
    ]
    parts += [""]
    parts += section("`[strategies.NAME]`", StrategySettings)
    for strategy in offers.controllers.values():
        title = f'Controller `"{strategy.name}"`'
        parts += section(title, strategy.config, strategy.summary, strategy.plugin)
    parts += ["## `[risk]`", ""]
    parts += ["Every rule is on with its defaults. A bare value stands for the rule's `limit`:"]
    parts += ['`max_order = "500 USDT"` is `max_order = { limit = "500 USDT" }`.', ""]
    parts += HEAD
    for rule in offers.rules.values():
        if rule.config is not None:
            parts += rows(rule.config, (rule.name,))
    parts += ["", "## `[alerts.NAME]`", ""]
    parts += [
        "Alerts leave the engine by the notifiers that are written down, and by no others.",
        "",
    ]
    for notifier in offers.notifiers.values():
        title = f"`[alerts.{notifier.name}]`"
        parts += section(title, notifier.config, notifier.summary, notifier.plugin)
    return "\n".join(parts).rstrip() + "\n"


#: Keys whose default is another key's value.
BY_DEFAULT = {"every": "the tick"}

HEAD = ["| Key | Kind | Default | Meaning |", "|---|---|---|---|"]


def section(
    title: str, model: type[BaseModel] | None, summary: str = "", plugin: str = ""
) -> list[str]:
    about = summary or first_line(model)
    origin = f" Plugin: {plugin}." if plugin else ""
    sentence = f"{about[:1].upper()}{about[1:].rstrip('.')}.{origin}".replace("``", "`")
    return [f"## {title}", "", sentence, "", *HEAD, *(rows(model, ()) if model else ()), ""]


def table(model: type[BaseModel]) -> list[str]:
    return [*HEAD, *rows(model, ())]


def rows(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name == "options":
            continue
        keys = (*above, field.alias or name)
        below = [(part, keys) for part in members(field.annotation)]
        below += [
            (get_args(part)[1], (*keys, "KEY")) for part, _ in below if get_origin(part) is Mapping
        ]
        below += [
            (get_args(part)[0], (*above, f"{keys[-1]}[]"))
            for part, _ in below
            if get_origin(part) in {tuple, list}
        ]
        models = [(part, place) for part, place in below if is_model(part)]
        for part, place in models:
            yield from rows(part, place)
        if models:
            continue
        meaning = (field.description or "").replace("|", "\\|")
        otherwise = BY_DEFAULT.get(".".join(keys)) or default(field)
        if field.is_required() and above:
            otherwise += " with its table"
        yield f"| `{'.'.join(keys)}` | {kind(field)} | {otherwise} | {meaning} |"


def is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def members(annotation: object) -> Iterator[Any]:
    """Give the members of a union, or the annotation itself, without what only decorates it."""
    if get_origin(annotation) in {Union, types.UnionType}:
        for part in get_args(annotation):
            if part is not type(None):
                yield from members(part)
    elif get_origin(annotation) is Annotated:
        yield from members(get_args(annotation)[0])
    else:
        yield annotation


def kind(field: FieldInfo) -> str:
    return " or ".join(dict.fromkeys(one_kind(part) for part in members(field.annotation)))


def one_kind(annotation: object) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f'`"{choice}"`' for choice in arguments)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return " or ".join(f'`"{choice}"`' for choice in annotation)
    if origin is Mapping:
        return f"table of {one_kind(next(members(arguments[1])))}s"
    if origin in {tuple, list}:
        return f"list of {one_kind(next(members(arguments[0])))}s"
    return KINDS[annotation]


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be written"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, bool | int):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`'


def first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def hooks() -> str:
    parts = [HOOKS.format(note=NOTE)]
    for title, module in (
        ("To bring something", fairlead.hookspecs.offering),
        ("To watch a run", fairlead.hookspecs.observing),
    ):
        about = (inspect.getdoc(module) or "").partition("\n\n")[2]
        parts += [f"## {title}", "", *([about.replace("``", "`"), ""] if about else [])]
        own = [hook for _, hook in inspect.getmembers(module, inspect.isfunction) if is_hook(hook)]
        own.sort(key=lambda hook: hook.__code__.co_firstlineno)
        for hook in own:
            parts += one_hook(hook)
    return "\n".join(parts).rstrip() + "\n"


def is_hook(function: types.FunctionType) -> bool:
    return function.__name__.startswith("fairlead_")


def one_hook(hook: types.FunctionType) -> list[str]:
    summary, _, rest = (inspect.getdoc(hook) or "").partition("\n\n")
    facts, _, parameters = rest.partition("\n\n")
    signature = ", ".join(
        f"{name}: {parameter.annotation}"
        for name, parameter in inspect.signature(hook).parameters.items()
    )
    lines = [f"### `{hook.__name__}({signature})`", "", summary, ""]
    for line in facts.splitlines():
        fact, colon, text = line.partition(": ")
        if colon and fact in {"When", "Result", "Order", "Errors"}:
            lines.append(f"- **{fact}**: {text}")
        else:
            lines[-1] += f" {line.strip()}"
    lines += ["", "| Argument | Meaning |", "|---|---|"]
    for entry in parameters.split(":param ")[1:]:
        name, _, text = entry.partition(":")
        lines.append(f"| `{name}` | {' '.join(text.split())} |")
    return [line.replace("``", "`") for line in (*lines, "")]


if __name__ == "__main__":
    install_context()
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
