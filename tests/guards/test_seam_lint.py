from pathlib import Path

import pytest

from tests.guards.seam_lint import (
    BANNED_METHODS,
    BANNED_MODULES,
    BANNED_NAMES,
    ROOT,
    SEAMS,
    lint,
    lint_tree,
)

CORE = "core/fairlead/pipeline/anything.py"
PLUGIN = "plugins/fairlead_risk/anything.py"


def kinds(source: str, path: str = CORE) -> list[str]:
    return [finding.kind for finding in lint(source, path)]


@pytest.mark.unmeasured
def test_the_tree_reaches_around_no_seam() -> None:
    assert [str(finding) for finding in lint_tree()] == []


@pytest.mark.parametrize("module", BANNED_MODULES)
@pytest.mark.parametrize("path", [CORE, PLUGIN])
def test_every_banned_module_is_found_when_imported(module: str, path: str) -> None:
    expected = [BANNED_MODULES[module]]

    assert kinds(f"import {module}\n", path) == expected
    assert kinds(f"import {module} as renamed\n", path) == expected
    assert kinds(f"from {module} import anything\n", path) == expected
    assert kinds(f"import {module}.part\n", path) == expected


@pytest.mark.parametrize("dotted", [name.replace("*", "monotonic_ns") for name in BANNED_NAMES])
def test_every_banned_name_is_found_however_it_is_imported(dotted: str) -> None:
    owner, _, name = dotted.rpartition(".")
    module, _, parent = owner.rpartition(".")
    expected = [BANNED_NAMES.get(dotted, "wall clock")]

    assert kinds(f"import {module or owner}\n{dotted}()\n") == expected
    assert kinds(f"import {module or owner} as m\nm.{dotted.split('.', 1)[1]}()\n") == expected
    if module:
        assert kinds(f"from {module} import {parent} as p\nx = p.{name}\n") == expected
    else:
        assert kinds(f"from {owner} import {name} as n\nn()\n") == expected


@pytest.mark.parametrize("name", ["time", "time_ns", "monotonic", "perf_counter", "sleep"])
def test_every_function_of_the_time_module_is_banned(name: str) -> None:
    assert kinds(f"import time\ntime.{name}()\n") == ["wall clock"]


def test_a_banned_function_is_found_when_it_is_only_passed_on() -> None:
    assert kinds("import time\nstart(clock=time.monotonic_ns)\n") == ["wall clock"]


@pytest.mark.parametrize("method", BANNED_METHODS)
def test_every_banned_loop_method_is_found(method: str) -> None:
    assert kinds(f"async def f(loop):\n    await loop.{method}(None)\n") == [BANNED_METHODS[method]]


@pytest.mark.parametrize(
    "source",
    [
        "for x in {1, 2}: pass",
        "for x in set(y): pass",
        "for x in frozenset(y): pass",
        "for x in {z for z in y}: pass",
        "[x for x in set(y)]",
        "{x: 1 for x in set(y)}",
        "for i, x in enumerate(set(y)): pass",
        "for x in set(y) - set(z): pass",
        "for x in a.keys() & b.keys(): pass",
        "for x in set(y).union(z): pass",
        "list(set(y))",
        "','.join(set(y))",
        "f(*set(y))",
    ],
)
def test_the_order_of_a_set_may_not_show_in_core(source: str) -> None:
    assert "set order" in kinds(source)
    assert kinds(source, PLUGIN) == []


@pytest.mark.parametrize(
    "source",
    [
        "for x in sorted(set(y)): pass",
        "x in {1, 2}",
        "len(set(y))",
        "for x in dict.fromkeys(y): pass",
    ],
)
def test_a_set_may_be_used_without_its_order(source: str) -> None:
    assert kinds(source) == []


def test_the_salted_hash_is_banned_but_for_defining_one() -> None:
    assert kinds("offset = hash(name)\n") == ["salted hash"]
    assert kinds("class A:\n    def __hash__(self):\n        return hash(self.a)\n") == []


def test_an_import_for_types_only_passes() -> None:
    assert kinds("if TYPE_CHECKING:\n    from random import Random\n") == []
    assert kinds("if TYPE_CHECKING:\n    import random  # sim-ok: a type\n") == []
    assert kinds("if TYPE_CHECKING:\n    pass\nelse:\n    import random\n") == ["chance"]


def test_a_marked_line_passes_with_a_reason() -> None:
    assert kinds("import random  # sim-ok: seeded by the caller\n") == []


def test_a_marker_without_a_reason_is_a_finding() -> None:
    assert kinds("import random  # sim-ok:\n") == ["marker"]


def test_a_marker_on_a_harmless_line_is_a_finding() -> None:
    assert kinds("x = 1  # sim-ok: habit\n") == ["marker"]


def test_a_marker_inside_a_string_does_not_count() -> None:
    assert kinds('import random; x = "# sim-ok: no"\n') == ["chance"]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("core/fairlead/kernel/clock.py", "import time\ntime.time_ns()\n"),
        ("core/fairlead/kernel/ids.py", "import random\n"),
        ("core/fairlead/kernel/transport.py", "import aiohttp\nimport websockets\n"),
        ("core/fairlead/kernel/process.py", "import os\nos.kill(1, 2)\n"),
        ("core/fairlead/store/schema.py", "import sqlite3\n"),
        ("core/fairlead/store/writer.py", "import sqlite3\nimport threading\n"),
    ],
)
def test_a_seam_may_do_what_it_is_there_for(path: str, source: str) -> None:
    assert kinds(source, path) == []
    assert kinds(source) != []


def test_one_seam_may_not_do_the_work_of_another() -> None:
    assert kinds("import threading\n", "core/fairlead/kernel/clock.py") == ["thread"]
    assert kinds("import threading\n", "core/fairlead/store/schema.py") == ["thread"]


def test_every_seam_stands_where_the_lint_expects_it() -> None:
    assert [place for place in SEAMS if not Path(ROOT, place).exists()] == []
