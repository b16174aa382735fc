"""The documents say what the code is: links, rooms, events, settings, metrics, words, commands."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from cli.demo.welcome import welcome
from cli.main import app
from ledger.events.base import Event, event_classes
from simulation.demo.cast import CAST
from tests.journal_stories import STORIES, posted
from wiring.settings import Settings, environment_name

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
PAGES: Final = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

_NO_ROOM: Final = {"build", "dist", "node_modules"}

_LINK: Final = re.compile(r"(?:\[[^\]]*\]\(|<img[^>]*src=\")([^)\"\s]+)")
_HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WORDS: Final = {"str": "text", "int": "number", "bool": "boolean", "UUID": "id"}


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _code() -> Iterator[Path]:
    """Every Python file of a room that runs in production."""
    for room in _rooms():
        if room not in {"tests", "bench"}:
            yield from (ROOT / room).rglob("*.py")


def _rooms() -> set[str]:
    return {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir()
        and not path.name.startswith(".")
        and path.name not in _NO_ROOM
        and any(file.is_file() and "__pycache__" not in file.parts for file in path.rglob("*"))
    }


def _rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row but the ruler."""
    for line in text.splitlines():
        if line.startswith("|") and not set(line) <= set("|-: "):
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def _ticked(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def _section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next of its level or above."""
    level = heading.partition(" ")[0]
    _, found, after = page.partition(f"\n{heading}\n")
    assert found, f"no heading {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
    return kept.strip().replace(" ", "-")


# --- links and rooms ---


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text())):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        headings = _HEADING.findall(target.read_text()) if target.suffix == ".md" else []
        if not target.exists() or (anchor and anchor not in map(_anchor, headings)):
            broken.append(link)
    assert not broken, f"{_name(page)}: {broken}"


def test_the_readme_names_every_room_and_no_other() -> None:
    tour = _section((ROOT / "README.md").read_text(), "## The rooms")
    named = {_ticked(row[0])[0].rstrip("/") for row in _rows(tour) if _ticked(row[0])}
    assert named == _rooms()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    """A path in backticks that begins with a room, such as `ledger/clock.py`."""
    named = [
        text
        for text in _ticked(_FENCE.sub("", page.read_text()))
        if re.fullmatch(r"[\w.]+(?:/[\w.]+)*/?", text) and text.split("/")[0] in _rooms()
    ]
    lost = [text for text in named if "/" in text and not (ROOT / text).exists()]
    assert not lost, f"{_name(page)}: {lost}"


# --- commands ---


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    subcommands = {command.name for command in app.registered_commands}
    shown = "\n".join(body for kind, body in _FENCE.findall(page.read_text()) if kind == "sh")
    for line in shown.splitlines():
        for made in re.findall(r"\bmake ([a-z-]+)", line.partition("#")[0]):
            assert made in targets, line
        for asked in re.findall(r"(?:^|[\s/])folio ([a-z-]+)", line.partition("#")[0]):
            assert asked in subcommands, line


def test_the_readme_shows_the_demo_as_it_is() -> None:
    page = (ROOT / "README.md").read_text()
    printed = welcome("http://127.0.0.1:8080", "$KEY", datetime(2026, 1, 1, tzinfo=UTC), ".folio")
    lines = re.findall(r"curl .*", re.sub(r"as_of=[^\"]+", "as_of=$WHEN", printed))
    assert lines == re.findall(r"^curl .*", page, re.MULTILINE)
    assert f"{len(CAST)} customers" in page


# --- events ---


def _fields(cls: type[Event]) -> list[tuple[str, str]]:
    return [(field.name, _type(str(field.type))) for field in dataclasses.fields(cls)]


def _type(annotation: str) -> str:
    """A field's type in the words of the page."""
    plain = annotation.removesuffix(" | None")
    many = re.fullmatch(r"tuple\[(\w+), \.\.\.\]", plain)
    one = many[1] if many else plain
    word = "time" if one == "datetime" else _WORDS.get(one, f"[{one}](#{one.lower()})")
    return f"{'list of ' if many else ''}{word}{', or null' if plain != annotation else ''}"


def test_every_event_is_in_the_catalogue_with_its_fields() -> None:
    page = (DOCS / "events.md").read_text()
    for name, cls in event_classes().items():
        section = _section(page, f"### {name}")
        documented = [(_ticked(row[0])[0], row[1]) for row in _rows(section) if _ticked(row[0])]
        assert documented == _fields(cls), name
        assert " ".join((cls.__doc__ or "").split()) in section, f"{name}: another docstring"
        assert all(row[2] for row in _rows(section)), f"{name}: a field without a meaning"
        assert (cls.VERSION == 1) == ("Version " not in section), f"{name}: another version"


def test_the_catalogue_holds_no_event_that_is_none() -> None:
    headings = re.findall(r"^### (\w+\.\w+)$", (DOCS / "events.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(event_classes())


# --- the journal ---


@pytest.mark.parametrize("story", STORIES)
def test_the_journal_posts_what_its_page_says(story: str) -> None:
    section = _section((DOCS / "journal.md").read_text(), f"### {story}")
    written = []
    event = ""
    for row in list(_rows(section))[1:]:
        event = _ticked(row[0])[0] if row[0] else event
        written.append((event, row[1].strip("`"), row[2], row[3]))
    assert written == list(posted(STORIES[story]))


# --- settings and metrics ---


def test_every_setting_is_documented_with_its_default() -> None:
    page = (DOCS / "setup.md").read_text()
    documented = {
        _ticked(row[0])[0]: row[1]
        for row in _rows(_section(page, "## Settings"))
        if _ticked(row[0])
    }
    defaults = {}
    for name, field in Settings.model_fields.items():
        default = str(field.default).lower() if isinstance(field.default, bool) else field.default
        defaults[environment_name(name)] = "none" if default is None else f"`{default}`"
    assert documented == defaults


def test_every_variable_that_is_read_is_documented() -> None:
    read = {
        name
        for path in [*_code(), ROOT / "docker-compose.yml"]
        for name in re.findall(r"\bFOLIO_[A-Z_]+\b", path.read_text())
    }
    documented = set(re.findall(r"\bFOLIO_[A-Z_]+\b", (DOCS / "setup.md").read_text()))
    settings = {environment_name(name) for name in Settings.model_fields}
    settings = {name for name in settings if name.startswith("FOLIO_")}
    assert documented == read | settings


def test_every_metric_is_documented() -> None:
    counted = {
        node.args[0].value
        for path in _code()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Tally", "Level", "Duration"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    section = _section((DOCS / "setup.md").read_text(), "## Metrics")
    documented = {_ticked(row[0])[0] for row in _rows(section) if _ticked(row[0])}
    assert documented == counted


# --- words ---


def test_every_word_of_the_glossary_lives_where_it_says() -> None:
    places = _places((DOCS / "glossary.md").read_text())
    assert len(places) > 30
    lost = [place for place in places if not _exists(place)]
    assert not lost


def _places(page: str) -> list[str]:
    return [place for row in _rows(page) for place in _ticked(row[-1])]


def _exists(place: str) -> bool:
    module, _, name = place.rpartition(".")
    try:
        return hasattr(import_module(module), name)
    except ModuleNotFoundError:
        return False


def test_no_decision_is_missing_from_the_architecture() -> None:
    linked = _names(_LINK.findall((DOCS / "architecture.md").read_text()))
    assert linked >= _names(str(path) for path in (DOCS / "decisions").glob("*.md"))


def _names(paths: Iterable[str]) -> set[str]:
    return {Path(path).name for path in paths}
