"""Who may import whom: the contracts of pyproject.toml, and the doors to the outside."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_BESIDE_THE_HOUSE: Final = {"tests", "bench"}

# A third party, and the rooms whose door it comes in by.
DOORS: Final = {
    "stripe": ["providers/stripe"],
    "eventsourcing": ["ledger/store"],
    "fastapi": ["api", "console"],
    "starlette": ["api", "console"],
    "dramatiq": ["workers"],
    "typer": ["cli"],
    "alembic": ["migrations", "wiring/migrate.py"],
    "sqlalchemy": ["migrations"],
}


def _rooms() -> list[str]:
    packages = (path.parent.name for path in ROOT.glob("*/__init__.py"))
    return sorted(set(packages) - _BESIDE_THE_HOUSE)


def _imports(rooms: list[str]) -> Iterator[tuple[Path, int, str]]:
    """Every import in some rooms: the file, the line and the package's first name."""
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
                if isinstance(node, ast.Import):
                    for alias in node.names:
                        yield path.relative_to(ROOT), node.lineno, alias.name.partition(".")[0]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield path.relative_to(ROOT), node.lineno, node.module.partition(".")[0]


def test_the_contracts_are_kept() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_know_every_room() -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert sorted(configured["root_packages"]) == _rooms(), (
        "[tool.importlinter] root_packages in pyproject.toml lists the rooms that exist"
    )


def test_each_third_party_comes_in_by_its_door() -> None:
    breaches = [
        f"{path}:{line}: {package} comes in only by {', '.join(DOORS[package])}"
        for path, line, package in _imports(_rooms())
        if package in DOORS and not any(path.is_relative_to(door) for door in DOORS[package])
    ]
    assert not breaches, "\n".join(breaches)


def test_below_the_store_the_ledger_is_plain_python() -> None:
    breaches = [
        f"{path}:{line}: {package}"
        for path, line, package in _imports(["ledger"])
        if not path.is_relative_to("ledger/store")
        and package not in {*sys.stdlib_module_names, "ledger", "observability"}
    ]
    assert not breaches, "\n".join(breaches)


def test_every_module_belongs_to_a_package() -> None:
    """A folder without `__init__.py` would escape the contracts and the wheel."""
    lost = [
        str(path.relative_to(ROOT))
        for room in _rooms()
        for path in (ROOT / room).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    ]
    assert not lost, "\n".join(lost)
