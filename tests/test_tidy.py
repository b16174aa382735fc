"""The house style, where a machine can see it. Each breach is named as file:line."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
FILE_LINES: Final = 400
TEST_FILE_LINES: Final = 600
FUNCTION_LINES: Final = 60
TEST_FUNCTION_LINES: Final = 80
COLUMNS: Final = 100

_NOT_OURS: Final = {"__pycache__", "node_modules", "build", "dist", "vendored"}
_HIDDEN_BUT_OURS: Final = {".ci", ".github", ".env.example", ".gitignore"}
_NAMELESS: Final = {"utils", "util", "common", "helpers", "helper", "misc"}
_LATER: Final = re.compile(r"\b(?:TODO|FIXME|XXX)\b")  # tidy: names what it bans
_MACHINE_PATH: Final = re.compile(r"(?<![\w.~$}])/(?:work|home|Users|root)/[\w.]")
_NOW: Final = {
    *(("datetime", name) for name in ("now", "utcnow", "today")),
    ("date", "today"),
    *(("time", name) for name in ("time", "time_ns")),
}


@dataclass(frozen=True)
class Source:
    """One file of ours."""

    path: Path

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8", errors="replace").splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse("\n".join(self.lines), filename=str(self.path))

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @property
    def parts(self) -> tuple[str, ...]:
        return self.path.relative_to(ROOT).parts

    @property
    def room(self) -> str:
        return self.parts[0]

    @property
    def is_trial(self) -> bool:
        """Tests and benchmarks, which nobody runs in production."""
        return self.room in {"tests", "bench"}


Breach = tuple[int, str]


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    hidden = any(part.startswith(".") and part not in _HIDDEN_BUT_OURS for part in parts)
    return path.is_file() and not hidden and not _NOT_OURS.intersection(parts)


FILES: Final = [Source(path) for path in sorted(ROOT.rglob("*")) if _is_ours(path)]
MODULES: Final = [source for source in FILES if source.path.suffix == ".py"]


def short_file(source: Source) -> Iterator[Breach]:
    limit = TEST_FILE_LINES if source.is_trial else FILE_LINES
    if len(source.lines) > limit:
        yield limit, f"{len(source.lines)} lines, at most {limit}: two nouns live here"


def short_functions(source: Source) -> Iterator[Breach]:
    limit = TEST_FUNCTION_LINES if source.is_trial else FUNCTION_LINES
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > limit:
                yield node.lineno, f"{node.name} has {lines} lines, at most {limit}"


def short_lines(source: Source) -> Iterator[Breach]:
    for number, line in enumerate(source.lines, start=1):
        if len(line) > COLUMNS:
            yield number, f"{len(line)} columns, at most {COLUMNS}"


def nothing_left_for_later(source: Source) -> Iterator[Breach]:
    for number, line in enumerate(source.lines, start=1):
        if (found := _LATER.search(line)) and "tidy: names what it bans" not in line:
            yield number, f"{found[0]}: do it or drop it"
    for node in source.nodes:
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield node.lineno, "NotImplementedError: leave the name out until it does something"


def introduces_itself(source: Source) -> Iterator[Breach]:
    if source.is_trial and not source.lines:
        return
    if not ast.get_docstring(source.tree):
        yield 1, "no docstring that says what this module is"
    code = [node for node in source.tree.body if not _is_docstring(node)]
    if code and not _is_future_annotations(code[0]):
        yield code[0].lineno, "`from __future__ import annotations` comes first"


def named_for_its_noun(source: Source) -> Iterator[Breach]:
    for part in (*source.parts[:-1], source.path.stem):
        if part in _NAMELESS:
            yield 1, f"`{part}` names nothing; name the noun"


def exact_ledger(source: Source) -> Iterator[Breach]:
    if source.room != "ledger":
        return
    for node in source.nodes:
        if isinstance(node, ast.Name) and node.id in {"float", "Any"}:
            yield node.lineno, f"`{node.id}` where money and history are"
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"the float {node.value} where money and history are"


def one_source_of_now(source: Source) -> Iterator[Breach]:
    if source.is_trial or source.parts == ("ledger", "clock.py"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and (_last(node.value), node.attr) in _NOW:
            yield node.lineno, f"{_last(node.value)}.{node.attr}: ask a Clock"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            for name in {alias.name for alias in node.names} & {"time", "time_ns"}:
                yield node.lineno, f"{name} by its bare name: ask a Clock"


def only_the_command_line_prints(source: Source) -> Iterator[Breach]:
    if source.room in {"cli", "bench"}:
        return
    for node in source.nodes:
        calls = node.func if isinstance(node, ast.Call) else None
        if isinstance(calls, ast.Name) and calls.id == "print":
            yield calls.lineno, "print: write a log line or return a value"


MODULE_RULES: Final[list[Callable[[Source], Iterator[Breach]]]] = [
    short_file,
    short_functions,
    short_lines,
    nothing_left_for_later,
    introduces_itself,
    named_for_its_noun,
    exact_ledger,
    one_source_of_now,
    only_the_command_line_prints,
]


def no_machine_path(source: Source) -> Iterator[Breach]:
    for number, line in enumerate(source.lines, start=1):
        if found := _MACHINE_PATH.search(line):
            yield number, f"a path of one machine: {found[0]}…"


@pytest.mark.parametrize("rule", MODULE_RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps(rule: Callable[[Source], Iterator[Breach]]) -> None:
    assert len(MODULES) > 20
    _demand(rule, MODULES)


def test_every_file_keeps_no_machine_path() -> None:
    _demand(no_machine_path, FILES)


def _demand(rule: Callable[[Source], Iterator[Breach]], sources: list[Source]) -> None:
    breaches = [
        f"{source.path.relative_to(ROOT)}:{line}: {what}"
        for source in sources
        for line, what in rule(source)
    ]
    if breaches:
        pytest.fail("\n".join(breaches), pytrace=False)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_future_annotations(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _last(node: ast.expr) -> str:
    """The last name of a dotted expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
