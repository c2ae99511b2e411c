"""The ``bidwatch`` command: every module of ``pipelines.commands`` that has an ``app`` is one command or group.

Exit codes: 0 done, 1 done with refused rows or an incomplete source, 2 input refused, 3 a gate
is closed, 4 integrity failure, 70 a fault of the program, 75 busy.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
from typing import Any

#: Set before prefect or great_expectations may be imported: nothing calls home.
OFFLINE = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "GX_ANALYTICS_ENABLED": "false",
}
for name, value in OFFLINE.items():
    os.environ.setdefault(name, value)

import typer  # noqa: E402
from typer.core import TyperGroup  # noqa: E402

from pipelines import commands  # noqa: E402
from pipelines.commands import exits  # noqa: E402
from pipelines.commands.options import Panel  # noqa: E402
from pipelines.commands.output import err  # noqa: E402


class Commands(TyperGroup):
    """The modules of ``pipelines.commands`` by name; only the one that is asked for is imported."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, panel by panel as ``--help`` shows them."""
        panels = list(Panel)
        found = [
            (panels.index(panel) if (panel := command.rich_help_panel) in panels else len(panels), name)
            for _, name, _ in pkgutil.iter_modules(commands.__path__)
            if (command := self.get_command(ctx, name)) is not None
        ]
        return [name for _, name in sorted(found)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a name; None if no module of that name has an ``app``."""
        if cmd_name not in {name for _, name, _ in pkgutil.iter_modules(commands.__path__)}:
            return None
        desk = getattr(importlib.import_module(f"{commands.__name__}.{cmd_name}"), "app", None)
        if desk is None:
            return None
        house = typer.Typer(add_completion=False)
        house.add_typer(desk, rich_help_panel=desk.rich_help_panel)
        return typer.main.get_group(house).commands[cmd_name]


app = typer.Typer(
    name="bidwatch",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def bidwatch() -> None:
    """标哨 bidwatch finds bid-rigging risk in public procurement. It raises clues (线索), never findings."""


def main() -> None:
    """Run the command; what a person can mend is said in one line, without a traceback."""
    os.umask(0o077)
    try:
        app()
    except Exception as error:
        code = exit_code(error)
        if code == exits.SOFTWARE_FAILURE:
            # Python itself would end with 1, which says that the night was done.
            traceback.print_exc()
        else:
            err.print(f"bidwatch: {error}")
        sys.exit(code)


def exit_code(error: Exception) -> int:
    """Return how a command ends that could not go on."""
    if isinstance(error, FileNotFoundError | FileExistsError | PermissionError | ValueError):
        return exits.INPUT_REFUSED
    # Both are loaded already where they were raised.
    import duckdb

    from pipelines.night import Busy
    from pipelines.settings import Damaged

    if isinstance(error, Busy):
        return exits.BUSY
    return (
        exits.INTEGRITY_FAILURE if isinstance(error, duckdb.IOException | Damaged) else exits.SOFTWARE_FAILURE
    )
