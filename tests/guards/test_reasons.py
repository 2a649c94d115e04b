"""Whoever silences a tool says why, on the same line."""

import re

import pytest

from tests.guards.tree import ROOT, committed_files, relative

#: What silences → how such a line looks with its reason.
SILENCERS = {
    "noqa": re.compile(r"#\s*noqa\b(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S)"),
    "type-ignore": re.compile(r"#\s*type:\s*ignore\b(?!\[[a-z-]+(, ?[a-z-]+)*\]  # \S)"),
    "no-cover": re.compile(r"#\s*pragma:\s*no (cover|branch)\b(?! - \S)"),
    "skip": re.compile(r"\bpytest\.mark\.(skip|xfail)\b(?!.*reason=[\"'f(])"),
    "skipif": re.compile(r"\bpytest\.mark\.skipif\((?!.*reason=)[^\n]*\)"),
    "skip-call": re.compile(r"\bpytest\.(skip|xfail)\(\s*\)"),
    "broad-except": re.compile(r"^\s*except( \(?(Base)?Exception\b[^:]*)?:(?!.*# .*\S)"),
    "suppress": re.compile(r"\bsuppress\((Base)?Exception\)(?!.*# .*\S)"),
}

THIS = "tests/guards/test_reasons.py"


def silenced(line: str) -> list[str]:
    return [name for name, pattern in SILENCERS.items() if pattern.search(line)]


def test_no_line_silences_a_tool_without_a_reason() -> None:
    files = [path for path in committed_files() if path.suffix == ".py" and relative(path) != THIS]
    found = [
        f"{relative(path)}:{number}: {name}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for name in silenced(line)
    ]

    assert ROOT / THIS in committed_files()
    assert found == []


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("x = 1  # noqa", "noqa"),
        ("x = 1  # noqa: S101", "noqa"),
        ("x = f()  # type: ignore", "type-ignore"),
        ("x = f()  # type: ignore[arg-type]", "type-ignore"),
        ("if x:  # pragma: no cover", "no-cover"),
        ("@pytest.mark.skip", "skip"),
        ("@pytest.mark.xfail()", "skip"),
        ("@pytest.mark.skipif(True)", "skipif"),
        ("    pytest.skip()", "skip-call"),
        ("    except Exception:", "broad-except"),
        ("    except Exception as error:", "broad-except"),
        ("    except (Exception, OSError):", "broad-except"),
        ("    except BaseException:", "broad-except"),
        ("    except:", "broad-except"),
        ("with suppress(Exception):", "suppress"),
    ],
)
def test_a_silenced_tool_without_a_reason_is_found(line: str, name: str) -> None:
    assert silenced(line) == [name]


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa: S101 - the type checker needs it",
        "x = f()  # type: ignore[arg-type]  # the stub lacks None",
        "if x:  # pragma: no cover - only on Windows",
        '@pytest.mark.skip(reason="needs a network")',
        '@pytest.mark.skipif(sys.platform == "win32", reason="no signals")',
        '    pytest.skip("no data")',
        "    except Exception as error:  # noqa: BLE001 - a plugin may raise anything",
        "    except OSError:",
        "    except ExceptionGroup:",
    ],
)
def test_a_silenced_tool_with_a_reason_passes(line: str) -> None:
    assert silenced(line) == []
