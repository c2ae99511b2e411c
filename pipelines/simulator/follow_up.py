"""What follows the award, and what registers and certificates say: an option beside the records of every county.

It adds payments, insured staff, changes, acceptances, priced bills, experts' scores, certificates, earlier works,
addresses, e-mail, days of notices and lots that were tendered again. Most of it is honest and untidy. Careless
rings leave traces in it; every trace, and every innocent look-alike of one, is a row of ``world.links``. Rings
that leave no plain evidence (`care.Care`) leave none here either.

Without the option nothing of this is there, and the county is the same to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from pipelines.simulator.care import PLAIN_EVIDENCE, Care

HERE = Path(__file__).parent
#: Files of `follow_up_world`, in order: later ones build on earlier ones.
STEPS = ("habits", "again", "notices", "findings", "experts", "register", "bids", "contracts", "bills")
#: Dataset number of every tag that is delivered with the option alone (see `deliveries.TAGS`).
TAGS = {
    "LETTER_OF_GUARANTEE": "910",
    "TENDERER_EX_INFO": "911",
    "BIDDER_QUALIFICATION": "912",
    "BIDDER_PERFORMANCE": "913",
    "BID_PRICED_ITEM": "914",
    "TENDER_EVALUATION": "915",
    "BHXX_CONTRACT_MEMBER": "916",
    "SOCIAL_INSURANCE_INFO": "917",
    "BHXX_CONSTRUCT_ALTER": "918",
    "BHXX_COMPLETE_ACCEPT": "919",
    "PAYMENT_INFO": "920",
    "VIOLATING_LAWS_RULES_INFO": "921",
}
#: The share of the kinds of traces here that a ring leaves, relative to its share of `PLAIN_EVIDENCE`.
HABITS = 1.25


def add(con: duckdb.DuckDBPyConnection, *, seed: int, until: date, care: Sequence[Care]) -> None:
    """Add the tables of the schema ``follow_up`` to a complete world, and their rows to ``world.links``.

    Changes the world, too: lots that are tendered again, short windows, committees.

    Args:
        con: the world, complete.
        seed: of the county.
        until: bills of quantities are those of lots opened before this day.
        care: the levels of care of its rings.
    """
    con.execute(f"SET VARIABLE seed = {int(seed)}")
    con.execute(f"SET VARIABLE until = '{until}'")
    for macros in (HERE / "records.sql", HERE / "follow_up_world" / "luck.sql"):
        con.execute(macros.read_text(encoding="utf-8"))
    levels = pd.DataFrame(
        {
            "care": [level.level for level in care],
            "leak_share": [level.leak_share for level in care],
            "ring_share": [HABITS * level.plain_evidence / len(PLAIN_EVIDENCE) for level in care],
        }
    )
    con.register("care_rows", levels)
    con.execute("INSERT INTO follow_up.care SELECT care, leak_share, ring_share FROM care_rows")
    con.unregister("care_rows")
    for step in STEPS:
        con.execute((HERE / "follow_up_world" / f"{step}.sql").read_text(encoding="utf-8"))


def record(tag: str) -> str:
    """Return the SELECT of a tag as it is delivered with the option.

    A tag that every county delivers and that says more with the option has a file of its own, around the usual
    one, whose place it marks by ``{record}``.
    """
    usual, more = HERE / "tags" / f"{tag}.sql", HERE / "follow_up_tags" / f"{tag}.sql"
    plain = usual.read_text(encoding="utf-8") if usual.exists() else ""
    return more.read_text(encoding="utf-8").replace("{record}", plain) if more.exists() else plain
