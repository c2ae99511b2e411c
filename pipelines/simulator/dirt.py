"""Records that a night must refuse, drop, replace or hold back, and a note of each of them.

Real deliveries have them. The note says what must become of each, so that a test can check the night. A small
county has at least one of every kind, a large one has one or a few of it per thousand lots. Their lots are drawn
by a hash of what the lots say, so the seed of the county draws them too. A lot has one at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import duckdb

from pipelines.values.literals import listed, quoted

#: Tags that have records of their own here; the bids first.
BID_LISTS = ("TENDER_LIST", "ZJ_TENDER_LIST")
TAGS = (*BID_LISTS, "SECTION", "TENDER_PROJECT")

CORRECTED_AFTER_DAYS = 3
#: Only records this old on the last night are spoilt, so that their correction is delivered too.
SETTLED_DAYS = 10

_LATER = f"known_at + INTERVAL {CORRECTED_AFTER_DAYS} DAYS"
_CORRECTED = {"known_at": _LATER, "DATA_TIMESTAMP": f"stamp({_LATER})", "TITLE/DATA_TYPE": "'2'"}


@dataclass(frozen=True)
class Kind:
    """One kind of dirt.

    Attributes:
        name: what ``dirt.picks`` calls it.
        what: the note's words.
        fate: refused, duplicate, conflict (of one cell), completes (one cell cannot be read, and the right record
            of the same time has it), replaces, deletes or held.
        code: reason code of a refusal.
        per_thousand: how many per thousand lots; a county of fewer lots has as many.
        extra: versions that are delivered beside the right record: column -> SQL over the right record.
        instead: versions that are delivered in its place; the last one is right.
        noted: number of the version that the note is about, from 1 on.
        tags: whose records it spoils.
    """

    name: str
    what: str
    fate: str
    code: str = ""
    per_thousand: float = 1.0
    extra: tuple[dict[str, str], ...] = ()
    instead: tuple[dict[str, str], ...] = ()
    noted: int = 1
    tags: tuple[str, ...] = field(default=BID_LISTS)

    @property
    def versions(self) -> tuple[dict[str, str], ...]:
        """Every version that is delivered because of it."""
        return self.extra + self.instead


_MISTAKEN = {"BIDDER_NAME": "other_name", "BIDDER_ORG_CODE": "other_code", "DATA_KEY": "other_key"}

KINDS = (
    Kind(
        "check_digit",
        "credit code with a wrong check digit",
        "refused",
        "CHECK_DIGIT",
        extra=(
            {
                "BIDDER_ORG_CODE": "left(BIDDER_ORG_CODE, 17)"
                " || CASE right(BIDDER_ORG_CODE, 1) WHEN 'A' THEN 'B' ELSE 'A' END"
            },
        ),
    ),
    Kind("price_text", "price 12,3x", "completes", extra=({"BID_PRICE": "'12,3x'"},)),
    Kind("price_form", "price form 7", "completes", extra=({"PRICE_FORM_CODE": "'7'"},)),
    Kind(
        "nameless",
        "neither name nor code",
        "refused",
        "MISSING_VALUE",
        extra=({"BIDDER_NAME": "'无'", "BIDDER_ORG_CODE": "'/'"},),
    ),
    Kind("zero", "price of zero", "completes", extra=({"BID_PRICE": "'0.00'"},)),
    Kind("unit", "unknown unit of price", "completes", extra=({"PRICE_UNIT": "'2'"},)),
    Kind("twice", "the same row twice", "duplicate", per_thousand=3, extra=({},)),
    Kind("conflict", "two versions with one time stamp", "conflict", extra=({"TIME_LIMIT": "'999'"},)),
    Kind(
        "duration",
        "duration corrected later",
        "replaces",
        noted=2,
        instead=({"TIME_LIMIT": "CAST(CAST(TIME_LIMIT AS INTEGER) + 30 AS VARCHAR)"}, _CORRECTED),
    ),
    Kind(
        "price",
        "price with a digit too many corrected later",
        "replaces",
        noted=2,
        instead=({"BID_PRICE": "'9' || BID_PRICE"}, _CORRECTED),
    ),
    Kind(
        "mistaken",
        "bid deleted later",
        "deletes",
        noted=2,
        extra=(_MISTAKEN, _MISTAKEN | _CORRECTED | {"TITLE/DATA_TYPE": "'3'"}),
    ),
    Kind(
        "stray_lot",
        "lot code not inside the tender code",
        "refused",
        "LOT_NOT_IN_TENDER",
        tags=("SECTION",),
        extra=({"BID_SECTION_CODE": "left(BID_SECTION_CODE, 7) || '999' || right(BID_SECTION_CODE, 13)"},),
    ),
    Kind(
        "no_region",
        "region code that does not exist",
        "refused",
        "UNKNOWN_REGION",
        tags=("SECTION",),
        extra=(
            {
                "BID_SECTION_CODE": "TENDER_PROJECT_CODE || '999'",
                "REGION_CODE": "left(REGION_CODE, 4) || '99'",
            },
        ),
    ),
    Kind(
        "again",
        "delivered again",
        "duplicate",
        tags=("SECTION", "TENDER_PROJECT"),
        extra=({"known_at": _LATER},),
    ),
)
#: A bid that is delivered although its lot opens after the last night; drawn apart from the others.
EARLY = Kind("early", "lot not opened on the last night", "held", extra=({},))


def add(con: duckdb.DuckDBPyConnection, last: date) -> None:
    """Create ``dirt.<TAG>`` (records, with a column ``version``), ``dirt.picks`` and ``dirt.notes``.

    Args:
        con: holds the world and the views ``record.<TAG>``.
        last: day of the last night.
    """
    con.execute("CREATE SCHEMA IF NOT EXISTS dirt")
    con.execute(
        "CREATE OR REPLACE TABLE dirt.notes (section VARCHAR, lot_id VARCHAR, what VARCHAR, fate VARCHAR,"
        " code VARCHAR, stream VARCHAR, known_at TIMESTAMP)"
    )
    _pick(con, last)
    for tag in TAGS:
        _spoil(con, tag, last)
    _note_what_the_world_has(con, last)


def clean(tag: str) -> str:
    """SQL condition on ``record.<tag>`` that leaves out the records that stand in ``dirt.<tag>`` instead."""
    replaced = [kind.name for kind in KINDS if tag in kind.tags and kind.instead]
    if not replaced:
        return "TRUE"
    return f"(lot, firm) NOT IN (SELECT (lot, firm) FROM dirt.picks WHERE kind IN ({listed(replaced)}))"


def _pick(con: duckdb.DuckDBPyConnection, last: date) -> None:
    """Draw lots for the kinds, and a bid in each lot: ``dirt.picks`` (kind, lot, firm, other).

    ``other`` is a firm of the bidder's home market that does not bid there, if there is one. A text's
    hash draws them, which is the same everywhere. Where a county has too few lots, the last kinds are left out.
    """
    lots = int(con.execute("SELECT count(*) FROM world.lots").fetchall()[0][0])
    wanted = [kind.name for kind in KINDS for _ in range(_number(kind, lots))]
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE candidates AS
        SELECT lot, published_at, opening_at, first_opening_at,
               md5(concat_ws('/', lot_id, ceiling_fen, lot_name)) AS draw
        FROM world.lots
        WHERE regime = 'construction' AND channel <> 'sheet' AND NOT is_by_rate
          AND is_first_of_tender AND length(lot_id) = 23
        """
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE drawn AS
        SELECT [{", ".join(map(quoted, wanted))}][row_number() OVER (ORDER BY draw, lot)] AS kind, lot
        FROM (
            SELECT lot, draw
            FROM candidates
            WHERE sent_on(bids_known_at(opening_at)) <= DATE '{last}' - {SETTLED_DAYS}
            ORDER BY draw, lot
            LIMIT {len(wanted)}
        )
        UNION ALL
        (
            SELECT {quoted(EARLY.name)}, lot
            FROM candidates
            WHERE published_at <= TIMESTAMP '{last} 20:00:00' AND CAST(opening_at AS DATE) > DATE '{last}'
            ORDER BY first_opening_at IS NULL, draw, lot
            LIMIT {_number(EARLY, lots)}
        )
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TABLE dirt.picks AS
        WITH entered AS (
            SELECT d.kind, b.* FROM drawn AS d JOIN world.bids AS b USING (lot)
        ),
        -- A bid that is written as it should be, where the lot has one.
        chosen AS (
            SELECT kind, lot, arg_min(firm, (name_form <> 0 OR code_form <> 0 OR is_wrong_unit)
                                            || md5(concat_ws('/', price_fen, firm))) AS firm
            FROM entered
            GROUP BY kind, lot
        )
        SELECT c.kind, c.lot, c.firm, arg_min(o.firm, md5(concat_ws('/', c.lot, o.firm))) AS other
        FROM chosen AS c
        JOIN world.firms AS f ON f.firm = c.firm
        LEFT JOIN world.firms AS o
            ON o.market = f.market
            AND (c.lot, o.firm) NOT IN (SELECT (lot, firm) FROM entered UNION ALL SELECT (lot, partner) FROM entered)
        GROUP BY c.kind, c.lot, c.firm
        ORDER BY c.kind, c.lot
        """
    )
    con.execute("DROP TABLE candidates")
    con.execute("DROP TABLE drawn")


def _number(kind: Kind, lots: int) -> int:
    return max(round(kind.per_thousand), int(lots * kind.per_thousand / 1000))


def _spoil(con: duckdb.DuckDBPyConnection, tag: str, last: date) -> None:
    """Fill ``dirt.<tag>`` and note what is in it."""
    con.execute(f"CREATE OR REPLACE TABLE dirt.{tag} AS SELECT *, 0 AS version FROM record.{tag} LIMIT 0")
    by = "lot, firm" if tag in BID_LISTS else "lot"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE originals AS
        SELECT r.*, p.kind, o.name AS other_name, o.code AS other_code,
               left(r."DATA_KEY", 7) || right(data_key('', p.lot, p.other), 15) AS other_key
        FROM record.{tag} AS r
        JOIN dirt.picks AS p USING ({by})
        LEFT JOIN world.firms AS o ON o.firm = p.other
        """
    )
    for kind in (*KINDS, EARLY):
        if tag not in kind.tags:
            continue
        for number, changes in enumerate(kind.versions, 1):
            _insert(con, tag, kind, number, changes | (_sent_early(last) if kind is EARLY else {}))
    con.execute("DROP TABLE originals")


def _sent_early(last: date) -> dict[str, str]:
    evening = f"TIMESTAMP '{last} 20:00:00'"
    return {"known_at": evening, "DATA_TIMESTAMP": f"stamp({evening})"}


def _insert(
    con: duckdb.DuckDBPyConnection, tag: str, kind: Kind, number: int, changes: dict[str, str]
) -> None:
    replaced = ", ".join(f'{sql} AS "{column}"' for column, sql in changes.items())
    # A kind that needs another firm is left out where the whole market bids.
    needed = " AND other_key IS NOT NULL" if "other_key" in changes.values() else ""
    made = f"""
        SELECT * EXCLUDE (kind, other_name, other_code, other_key) {f"REPLACE ({replaced})" if replaced else ""},
               {number} AS version
        FROM originals
        WHERE kind = {quoted(kind.name)}{needed}
    """
    con.execute(f"INSERT INTO dirt.{tag} {made}")
    if number == kind.noted:
        lot_id = '"BID_SECTION_CODE"' if tag != "TENDER_PROJECT" else "''"
        con.execute(
            f"INSERT INTO dirt.notes SELECT {quoted(tag)}, {lot_id}, {quoted(kind.what)}, {quoted(kind.fate)},"
            f" {quoted(kind.code)}, stream, known_at FROM ({made}) ORDER BY lot, firm"
        )


def _note_what_the_world_has(con: duckdb.DuckDBPyConnection, last: date) -> None:
    """Note what the county itself has: wrong units, discounts, moved openings, openings of the last day."""
    bid_list = """
        CASE WHEN l.regime <> 'construction' THEN 'PURCHASE_TENDER_LIST'
             WHEN is_of_housing(l.project_type) THEN 'ZJ_TENDER_LIST' ELSE 'TENDER_LIST' END
    """
    document = "CASE l.regime WHEN 'construction' THEN 'TENDER_FILE_CLARI_MODI' ELSE 'PURCHASE_PROJECT' END"
    con.execute(
        f"""
        INSERT INTO dirt.notes
        SELECT {bid_list}, l.lot_id, 'price in 万元 under a flag that says 元', 'loaded', '', stream_of(l.channel),
               bids_known_at(l.opening_at)
        FROM world.bids AS b JOIN world.lots AS l USING (lot)
        WHERE b.is_wrong_unit AND NOT l.is_by_rate AND l.channel <> 'sheet'
        ORDER BY b.lot, b.firm
        """
    )
    for what, fate, section, known_at, condition in (
        (
            "prices are discounts, not amounts",
            "loaded",
            bid_list,
            "bids_known_at(l.opening_at)",
            "l.is_by_rate",
        ),
        ("opening moved", "replaces", document, "l.moved_at", "l.moved_at IS NOT NULL"),
        (
            "lot opened on the day of the last night",
            "held",
            bid_list,
            "bids_known_at(l.opening_at)",
            f"CAST(l.opening_at AS DATE) = DATE '{last}'",
        ),
    ):
        con.execute(
            f"""
            INSERT INTO dirt.notes
            SELECT {section}, l.lot_id, {quoted(what)}, {quoted(fate)}, '', stream_of(l.channel), {known_at}
            FROM world.lots AS l
            WHERE {condition} AND l.channel <> 'sheet'
            ORDER BY l.lot
            """
        )
