"""Finds the subcommands, one per file of this room, and runs the one that was asked for."""

from __future__ import annotations

import importlib
import pkgutil

import typer

import cli

_SHARED = {"main", "process"}  # the files of this room that are no subcommand

app = typer.Typer(
    name="folio",
    help="An event-sourced billing and entitlements ledger.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def folio() -> None:
    """Billing and entitlements that can say what happened, and why."""


def _add_subcommands() -> None:
    """Each file is imported, so a subcommand imports what is heavy inside its function."""
    for module in pkgutil.iter_modules(cli.__path__):
        if module.name not in _SHARED:
            subcommand = getattr(importlib.import_module(f"cli.{module.name}"), module.name)
            app.command(name=module.name.replace("_", "-"))(subcommand)


_add_subcommands()
