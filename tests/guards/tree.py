"""Know what stands in the repository: its packages, their modules and the files under git."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("core", "connectors", "strategies", "plugins")
PLUGIN_ROOTS = SOURCE_ROOTS[1:]


def distributions() -> list[Path]:
    """Return the folder of every top-level import package, in order of name."""
    found = (path for root in SOURCE_ROOTS for path in (ROOT / root).iterdir())
    return sorted(
        (path for path in found if (path / "__init__.py").is_file()), key=lambda path: path.name
    )


def plugin_names() -> list[str]:
    return [path.name for path in distributions() if path.parent.name in PLUGIN_ROOTS]


def packages() -> list[Path]:
    """Return the folder of every import package, the nested ones too."""
    return sorted(init.parent for top in distributions() for init in top.rglob("__init__.py"))


def modules() -> list[Path]:
    return sorted(file for top in distributions() for file in top.rglob("*.py"))


def dotted(path: Path) -> str:
    """Name a package folder or module file as an import does."""
    parts = path.relative_to(ROOT).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def committed_files() -> list[Path]:
    """Return every file that git has or would take; without git, what the wheel is made of."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - git's place differs from machine to machine
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        names = sorted(set(listed.stdout.decode().split("\0")) - {""})
        return [path for name in names if (path := ROOT / name).is_file()]
    return [*modules(), *sorted((ROOT / "tests").rglob("*.py")), ROOT / "pyproject.toml"]
