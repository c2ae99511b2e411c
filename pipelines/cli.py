"""The ``bidwatch`` command.

Exit codes: 0 done, 1 done with refused rows or an incomplete source, 2 input refused, 3 publish
gate closed, 4 integrity failure, 70 a fault of the program, 75 busy.
"""

from __future__ import annotations

import os
import sys
import traceback

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

import duckdb  # noqa: E402
import typer  # noqa: E402

from pipelines.commands import (  # noqa: E402
    alerts,
    audit,
    complaints,
    deadlines,
    deliver,
    detectors,
    draw,
    indicators,
    labels,
    nights,
    parties,
    quarantine,
    refer,
    refer_files,
    report,
    review,
    simulate,
    sources,
    suppress,
    watchlist,
)
from pipelines.commands.output import err  # noqa: E402
from pipelines.night import Busy  # noqa: E402

SOFTWARE_FAILURE = 70  # EX_SOFTWARE of sysexits.h

app = typer.Typer(
    name="bidwatch",
    help="标哨 bidwatch finds bid-rigging risk in public procurement. It raises clues (线索), never findings.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(nights.nightly)
app.command()(nights.receive)
app.command()(nights.status)
app.command()(nights.doctor)
app.command()(simulate.simulate)
app.command()(indicators.indicators)
app.add_typer(sources.app, name="sources")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(parties.app, name="parties")
app.add_typer(alerts.app, name="alerts")
app.add_typer(detectors.app, name="detectors")
app.add_typer(review.app, name="review")
refer_files.add_to(refer.app)
app.add_typer(refer.app, name="refer")
app.add_typer(report.app, name="report")
app.add_typer(deliver.app, name="deliver")
app.add_typer(suppress.app, name="suppress")
app.add_typer(deadlines.app, name="deadlines")
app.add_typer(complaints.app, name="complaints")
app.add_typer(watchlist.app, name="watchlist")
app.add_typer(draw.app, name="draw")
app.add_typer(labels.app, name="labels")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """Run the command; what a person can mend is said in one line, without a traceback."""
    os.umask(0o077)
    try:
        app()
    except Busy as error:
        err.print(f"bidwatch: {error}")
        sys.exit(75)
    except (FileNotFoundError, FileExistsError, PermissionError, ValueError) as error:
        err.print(f"bidwatch: {error}")
        sys.exit(nights.INPUT_REFUSED)
    except duckdb.IOException as error:
        err.print(f"bidwatch: {error}")
        sys.exit(nights.INTEGRITY_FAILURE)
    except Exception:
        # Python itself would end with 1, which says that the night was done.
        traceback.print_exc()
        sys.exit(SOFTWARE_FAILURE)
