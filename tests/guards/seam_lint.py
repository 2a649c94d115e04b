"""Find code that reaches around the five seams: clock, ids, transport, store, process.

A run must give the same trace for the same seed, so nothing but a seam's own module may ask the
world for the time, for chance, for a thread, a socket or a signal. Run from the repository root::

    python tests/guards/seam_lint.py

A line that must pass all the same says why: ``# sim-ok: <reason>``.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("core", "connectors", "strategies", "plugins")

#: What each module of a seam may do that nobody else may; a trailing slash means the whole folder.
SEAMS: Mapping[str, frozenset[str]] = {
    "core/fairlead/kernel/clock.py": frozenset({"wall clock", "bare sleep"}),
    "core/fairlead/kernel/virtual.py": frozenset({"wall clock", "bare sleep", "socket"}),
    "core/fairlead/kernel/ids.py": frozenset({"chance"}),
    "core/fairlead/kernel/transport.py": frozenset({"web client", "socket"}),
    # The control socket: it reaches no venue, and no run hears of it that is not spoken to.
    "core/fairlead/kernel/control_socket.py": frozenset({"socket"}),
    "core/fairlead/kernel/control_server.py": frozenset({"socket"}),
    # A server for tests, which no engine ever meets but over a socket.
    "core/fairlead/testing/serve/": frozenset({"web client", "socket"}),
    "core/fairlead/kernel/process.py": frozenset({"process"}),
    "core/fairlead/store/": frozenset({"database"}),
    "core/fairlead/store/writer.py": frozenset({"thread"}),
}

#: Importing one of these is already the deed.
BANNED_MODULES: Mapping[str, str] = {
    "random": "chance",
    "secrets": "chance",
    "threading": "thread",
    "_thread": "thread",
    "concurrent.futures": "thread",
    "multiprocessing": "thread",
    "socket": "socket",
    "socketserver": "socket",
    "select": "socket",
    "selectors": "socket",
    "http.client": "web client",
    "http.server": "web client",
    "urllib.request": "web client",
    "aiohttp": "web client",
    "websockets": "web client",
    "sqlite3": "database",
    "subprocess": "process",
}

#: Naming one of these is the deed, called or not; ``*`` stands for any last name.
BANNED_NAMES: Mapping[str, str] = {
    "time.*": "wall clock",
    "datetime.datetime.now": "wall clock",
    "datetime.datetime.utcnow": "wall clock",
    "datetime.datetime.today": "wall clock",
    "datetime.date.today": "wall clock",
    "os.urandom": "chance",
    "os.getrandom": "chance",
    "uuid.uuid1": "chance",
    "uuid.uuid4": "chance",
    "asyncio.to_thread": "thread",
    "asyncio.sleep": "bare sleep",
    "asyncio.open_connection": "socket",
    "asyncio.open_unix_connection": "socket",
    "asyncio.start_server": "socket",
    "asyncio.start_unix_server": "socket",
    "asyncio.create_subprocess_exec": "process",
    "asyncio.create_subprocess_shell": "process",
    "os.fork": "process",
    "os.kill": "process",
    "os.killpg": "process",
    "os.system": "process",
    "signal.alarm": "process",
    "signal.setitimer": "process",
    "signal.signal": "process",
}

#: Methods of the event loop, whatever the loop is called.
BANNED_METHODS: Mapping[str, str] = {
    "run_in_executor": "thread",
    "create_connection": "socket",
    "create_server": "socket",
    "sock_connect": "socket",
    "add_signal_handler": "process",
}

MARKER = re.compile(r"#\s*sim-ok\b:?\s*(?P<reason>.*)$")
TYPES_ONLY = "types only"  # under TYPE_CHECKING: never happens, so a marker there is mere comment
SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference"})
KEEPS_ORDER = frozenset({"enumerate", "filter", "iter", "list", "map", "reversed", "tuple", "zip"})


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    path: str
    line: int
    kind: str
    what: str

    @override
    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {self.what}"


def banned_name(dotted: str) -> str | None:
    module = dotted.rpartition(".")[0]
    return BANNED_NAMES.get(dotted) or BANNED_NAMES.get(f"{module}.*")


def banned_module(dotted: str) -> str | None:
    parts = dotted.split(".")
    prefixes = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return next((BANNED_MODULES[prefix] for prefix in prefixes if prefix in BANNED_MODULES), None)


def is_set(node: ast.expr) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in SET_METHODS:
            return is_set(value)
        case ast.BinOp(
            left=left, op=ast.BitAnd() | ast.BitOr() | ast.Sub() | ast.BitXor(), right=right
        ):
            return any(is_set(side) or is_key_view(side) for side in (left, right))
        case _:
            return False


def is_key_view(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="keys"), args=[]):
            return True
        case _:
            return False


def exposes_set_order(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name), args=args) if name in KEEPS_ORDER:
            return any(exposes_set_order(argument) for argument in args)
        case _:
            return is_set(node)


def is_type_checking(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case _:
            return False


class SeamVisitor(ast.NodeVisitor):
    """Collect (line, last line, kind, what) of everything banned in one module."""

    def __init__(self, *, in_core: bool) -> None:
        self.found: list[tuple[int, int, str, str]] = []
        self._in_core = in_core
        self._modules: dict[str, str] = {}
        self._in_hash_method = False
        self._types_only = False

    def _report(self, node: ast.stmt | ast.expr, kind: str | None, what: str) -> None:
        if kind is not None:
            kind = TYPES_ONLY if self._types_only else kind
            self.found.append((node.lineno, node.end_lineno or node.lineno, kind, what))

    @override
    def visit_If(self, node: ast.If) -> None:
        outer, self._types_only = self._types_only, is_type_checking(node.test)
        for statement in node.body:
            self.visit(statement)
        self._types_only = outer
        self.visit(node.test)
        for statement in node.orelse:
            self.visit(statement)

    @override
    def visit_Import(self, node: ast.Import) -> None:
        for name in node.names:
            self._modules[name.asname or name.name.partition(".")[0]] = (
                name.name if name.asname else name.name.partition(".")[0]
            )
            self._report(node, banned_module(name.name), f"import {name.name}")

    @override
    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None:
            return
        for name in node.names:
            dotted = f"{node.module}.{name.name}"
            kind = banned_module(dotted) or banned_name(dotted)
            self._report(node, kind, f"from {node.module} import {name.name}")
            if kind is None:
                self._modules[name.asname or name.name] = dotted

    @override
    def visit_Attribute(self, node: ast.Attribute) -> None:
        dotted = self._resolve(node)
        kind = banned_name(dotted) if dotted else None
        if kind is None:
            kind = BANNED_METHODS.get(node.attr)
        self._report(node, kind, dotted or f".{node.attr}")
        self.generic_visit(node)

    def _resolve(self, node: ast.expr) -> str | None:
        match node:
            case ast.Name(id=name):
                return self._modules.get(name)
            case ast.Attribute(value=value, attr=attr):
                owner = self._resolve(value)
                return f"{owner}.{attr}" if owner else None
            case _:
                return None

    @override
    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer, self._in_hash_method = self._in_hash_method, node.name == "__hash__"
        self.generic_visit(node)
        self._in_hash_method = outer

    @override
    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Name(id="hash") if not self._in_hash_method:
                self._report(node, "salted hash", "hash() differs from process to process")
            case ast.Name(id="list" | "tuple" | "iter" | "enumerate") if self._in_core:
                self._look_at_order(node)
            case ast.Attribute(attr="join") if self._in_core and node.args:
                self._look_at_order(node.args[0])
        self.generic_visit(node)

    @override
    def visit_For(self, node: ast.For) -> None:
        self._look_at_order(node.iter)
        self.generic_visit(node)

    @override
    def visit_comprehension(self, node: ast.comprehension) -> None:
        self._look_at_order(node.iter)
        self.generic_visit(node)

    @override
    def visit_Starred(self, node: ast.Starred) -> None:
        self._look_at_order(node.value)
        self.generic_visit(node)

    def _look_at_order(self, node: ast.expr) -> None:
        if self._in_core and exposes_set_order(node):
            self._report(node, "set order", "a set has no order: sort it, or keep a dict")


def reasons(source: str) -> dict[int, str]:
    """Map the line of each marker to its reason, which may be empty."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = (token for token in tokens if token.type == tokenize.COMMENT)
    matches = ((token.start[0], MARKER.search(token.string)) for token in comments)
    return {line: match["reason"].strip() for line, match in matches if match}


def allowed_kinds(path: str) -> frozenset[str]:
    kinds = frozenset({TYPES_ONLY})
    for place, allowed in SEAMS.items():
        if path == place or (place.endswith("/") and path.startswith(place)):
            kinds |= allowed
    return kinds


def lint(source: str, path: str) -> list[Finding]:
    """Judge one module; ``path`` is relative to the repository root, with slashes."""
    visitor = SeamVisitor(in_core=path.startswith("core/"))
    visitor.visit(ast.parse(source, path))
    markers = reasons(source)
    allowed = allowed_kinds(path)
    findings = {
        Finding(path, line, "marker", "say why: # sim-ok: <reason>")
        for line, reason in markers.items()
        if not reason
    }
    used: set[int] = set()
    for line, last, kind, what in visitor.found:
        marked = {line, last} & markers.keys()
        used |= marked
        if kind not in allowed and not marked:
            findings.add(Finding(path, line, kind, what))
    for line in markers.keys() - used:
        findings.add(Finding(path, line, "marker", "nothing on this line needs it"))
    return sorted(findings)


def lint_tree(root: Path = ROOT) -> Iterator[Finding]:
    for folder in SOURCE_ROOTS:
        for file in sorted((root / folder).rglob("*.py")):
            yield from lint(file.read_text(encoding="utf-8"), file.relative_to(root).as_posix())


def main() -> int:
    findings = list(lint_tree())
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    if findings:
        sys.stdout.write(f"seam lint: {len(findings)} findings\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
