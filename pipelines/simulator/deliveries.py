"""What the centre hands over, night by night: which record goes into which file.

A record is sent on the evening of the day on which the centre knows it, at 23:00. The first night carries
everything until then, as tables; later nights carry what became known since: one XML file, one file of
JSON lines, and on every seventh night and the last one the old system's tables. Lots that are kept by hand
come as an opening sheet and as nothing else.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from pipelines.simulator import dirt, follow_up, formats

Form = Literal["exchange", "csv", "parquet"]

HERE = Path(__file__).parent
#: Dataset number of every tag, in the order in which they are delivered. From 900 on they are this centre's own.
TAGS = {
    "LEGAL_PERSON_BASE": "100",
    "LEGAL_RELATION_INFO": "908",
    "BLACK_LIST": "302",
    "WITHDRAW_BLACK_LIST": "303",
    "TENDER_PROJECT": "501",
    "SECTION": "502",
    "TENDER_FILE_CLARI_MODI": "504",
    "BUYER_DOC_CHARACT_CODE": "901",
    "PURCHASE_PROJECT": "550",
    "TENDER_LIST": "507",
    "ZJ_TENDER_LIST": "507",
    "PURCHASE_TENDER_LIST": "556",
    "BIDDER_MARGIN_INFO": "902",
    "TENDER_FILE_BUYYER_INFO": "903",
    "BIDDER_PROJECT_MEMBER": "904",
    "BID_DOC_CHARACT_CODE": "519",
    "BID_FILE": "909",
    "BID_OPEN_DETAIL": "906",
    "ZJ_EVALUATION_RESULT": "905",
    "TENDER_ABNORMITY_REPORT": "517",
    "BID_EVALUATION_EXPERT": "508",
    "TENDER_CANDIDATE": "510",
    "WIN_RESULT_ANNO": "513",
    "BID_DEAL_ANNOUNCE": "553",
    "CONTRACT_PERFORMANCE": "512",
    "SUBCONTRACT_INFO": "907",
}
#: Which system hands a record over (`stream` in tags/*.sql), and how its tables are encoded.
ENCODINGS: dict[str, formats.Encoding] = {"xml": "utf-8-sig", "lines": "utf-8-sig", "old": "gb18030"}
OLD_SYSTEM_NIGHTS = 7
ROWS_OF_A_TABLE = 500_000  # a longer table is cut into several files

Days = list[tuple[date, int]]


def deliver(
    con: duckdb.DuckDBPyConnection,
    out: Path,
    nights: Sequence[date],
    form: Form,
    *,
    with_follow_up: bool = False,
) -> int:
    """Write what the centre sends in these nights below ``out/inbox``; return the number of records.

    Leaves ``delivery.calendar`` and ``delivery.files`` in the database, which ``truth`` reads.

    Args:
        con: the world, complete.
        out: the files go to ``inbox/national`` and ``inbox/opening_sheets`` below it.
        nights: days in order; the first carries everything before it too.
        form: of the nights after the first: ``exchange``, or tables as ``csv`` or ``parquet``. The first night
            always has tables, as ``csv`` unless the form is ``parquet``.
        with_follow_up: deliver what `follow_up.add` added, too.
    """
    tags = TAGS | follow_up.TAGS if with_follow_up else TAGS
    _prepare(con, nights, tags, with_follow_up)
    for folder in ("national", "opening_sheets"):
        (out / "inbox" / folder).mkdir(parents=True, exist_ok=True)
    # The platform's credit code stands in every unified deal code.
    platform_code = con.execute("SELECT min(substr(deal_code, 5, 18)) FROM world.lots").fetchall()[0][0]
    counts = _count(con, nights, tags)
    delivery = _Delivery(con, out / "inbox" / "national", nights, form, tags, counts, platform_code)
    if len(nights) > 1:
        _put_by(con, nights, delivery.counts)
    records = delivery.write()
    _list_files(con, delivery.files)
    _write_sheets(con, out / "inbox" / "opening_sheets")
    return records


def _prepare(
    con: duckdb.DuckDBPyConnection, nights: Sequence[date], tags: Mapping[str, str], with_follow_up: bool
) -> None:
    """Create the views ``record.<TAG>`` (without dirt) and ``delivery.<TAG>`` (with it), and the calendar."""
    for macros in ("identity.sql", "records.sql"):
        con.execute((HERE / macros).read_text(encoding="utf-8"))
    for schema in ("record", "delivery", "later"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for tag in tags:
        plain = HERE / "tags" / f"{tag}.sql"
        query = follow_up.record(tag) if with_follow_up else plain.read_text(encoding="utf-8")
        con.execute(f"CREATE OR REPLACE VIEW record.{tag} AS {query}")
    dirt.add(con, nights[-1])
    for tag in tags:
        query = f"SELECT *, 0 AS version FROM record.{tag}"
        if tag in dirt.TAGS:
            query += f" WHERE {dirt.clean(tag)} UNION ALL SELECT * FROM dirt.{tag}"
        con.execute(f"CREATE OR REPLACE VIEW delivery.{tag} AS {query}")
    _keep_calendar(con, nights)


def _keep_calendar(con: duckdb.DuckDBPyConnection, nights: Sequence[date]) -> None:
    """Create ``delivery.calendar``: on which night a stream sends what is ready on a day (see ``sent_on``).

    Its first day stands for all days before it too.
    """
    streams = {
        stream: [n for i, n in enumerate(nights) if _is_sent(stream, i, nights)] for stream in ENCODINGS
    }
    due = pa.table(
        {
            "stream": pa.array([stream for stream in streams for _ in streams[stream]]),
            "night": pa.array([night for days in streams.values() for night in days], pa.date32()),
        }
    )
    con.register("due", due)
    con.execute(
        f"""
        CREATE OR REPLACE TABLE delivery.calendar AS
        SELECT d.stream, CAST(day AS DATE) AS day, min(d.night) AS night
        FROM due AS d, generate_series(DATE '{nights[0]}', DATE '{nights[-1]}', INTERVAL 1 DAY) AS days (day)
        WHERE d.night >= day
        GROUP BY ALL
        ORDER BY ALL
        """
    )
    con.unregister("due")


def _is_sent(stream: str, number: int, nights: Sequence[date]) -> bool:
    return stream != "old" or number % OLD_SYSTEM_NIGHTS == 0 or number == len(nights) - 1


def _count(
    con: duckdb.DuckDBPyConnection, nights: Sequence[date], tags: Mapping[str, str]
) -> dict[tuple[str, str], Days]:
    """Return how many records of a tag and a stream are ready on each day."""
    counts: dict[tuple[str, str], Days] = {}
    for tag in tags:
        rows = con.execute(
            f"SELECT stream, sent_on(known_at) AS day, count(*) FROM delivery.{tag}"
            f" WHERE known_at <= {_evening(nights[-1])} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        for stream, day, number in rows:
            counts.setdefault((tag, stream), []).append((day, number))
    return counts


def _put_by(
    con: duckdb.DuckDBPyConnection, nights: Sequence[date], counts: dict[tuple[str, str], Days]
) -> None:
    """Create ``later.<TAG>``: what is sent after the first night, in its order; every night reads its part."""
    for tag in dict.fromkeys(tag for tag, _ in counts):
        if any(days[-1][0] > nights[0] for (of, _), days in counts.items() if of == tag):
            con.execute(
                f"CREATE OR REPLACE TABLE later.{tag} AS SELECT * FROM delivery.{tag}"
                f" WHERE known_at > {_evening(nights[0])} AND known_at <= {_evening(nights[-1])}"
                " ORDER BY known_at, lot, firm, version"
            )


def _evening(day: date) -> str:
    return f"TIMESTAMP '{day} 23:00:00'"


@dataclass(frozen=True)
class _Batch:
    """Records of one tag that stand in one file: those of ``streams``, ready after one day until another."""

    tag: str
    streams: tuple[str, ...]
    after: date
    until: date

    def query(self, first: date) -> str:
        """SELECT of the records: from the view until the first night, then from what `_put_by` stored."""
        schema = "delivery" if self.until <= first else "later"
        streams = ", ".join(f"'{stream}'" for stream in self.streams)
        return (
            f"SELECT * EXCLUDE (known_at, stream, lot, firm, version) FROM {schema}.{self.tag}"
            f" WHERE known_at > {_evening(self.after)} AND known_at <= {_evening(self.until)}"
            f" AND stream IN ({streams}) ORDER BY known_at, lot, firm, version"
        )


@dataclass
class _Delivery:
    """The files of a county, written night by night."""

    con: duckdb.DuckDBPyConnection
    folder: Path
    nights: Sequence[date]
    form: Form
    tags: Mapping[str, str]
    counts: dict[tuple[str, str], Days]
    platform_code: str
    files: list[tuple[_Batch, str]] = field(default_factory=list)
    tables: Counter[tuple[str, date]] = field(default_factory=Counter)

    def write(self) -> int:
        """Write the files of every night and return how many records they hold."""
        records = 0
        sent = dict.fromkeys(ENCODINGS, date.min)
        for number, night in enumerate(self.nights):
            due = [stream for stream in ENCODINGS if _is_sent(stream, number, self.nights)]
            as_exchange = self.form == "exchange" and number > 0
            for streams in (("xml",), ("lines",)) if as_exchange else (("xml", "lines"),):
                write = self._exchange if as_exchange else self._tables
                records += write(night, streams, sent[streams[0]])
            if "old" in due:
                records += self._tables(night, ("old",), sent["old"])
            sent |= dict.fromkeys(due, night)
        return records

    def _tables(self, night: date, streams: tuple[str, ...], after: date) -> int:
        records = 0
        for tag in self.tags:
            for batch in self._batches(tag, streams, after, night):
                query = batch.query(self.nights[0])
                if self.form == "parquet":
                    path = self._free_path(tag, night, "parquet")
                    records += formats.write_parquet(self.con, query, path)
                else:
                    path = self._free_path(tag, night, "csv")
                    records += formats.write_csv(self.con, query, path, encoding=ENCODINGS[streams[0]])
                self.files.append((batch, path.name))
        return records

    def _free_path(self, tag: str, night: date, suffix: str) -> Path:
        """Return the path of a tag's next table of a night: the second one's name ends in _2."""
        self.tables[tag, night] += 1
        number = self.tables[tag, night]
        return self.folder / f"{tag}_{night:%Y%m%d}{f'_{number}' if number > 1 else ''}.{suffix}"

    def _batches(self, tag: str, streams: tuple[str, ...], after: date, until: date) -> Iterator[_Batch]:
        """Yield what goes into the tables of one night: whole days, about ROWS_OF_A_TABLE rows a table."""
        days = sorted(day for stream in streams for day in self._days(tag, stream, after, until))
        rows = 0
        for place, (day, number) in enumerate(days):
            rows += number
            is_last = place == len(days) - 1
            if is_last or (rows + days[place + 1][1] > ROWS_OF_A_TABLE and days[place + 1][0] > day):
                end = until if is_last else day
                yield _Batch(tag, streams, after, end)
                after, rows = end, 0

    def _days(self, tag: str, stream: str, after: date, until: date) -> Days:
        days = self.counts.get((tag, stream), [])
        start, end = (bisect_right(days, day, key=lambda one: one[0]) for day in (after, until))
        return days[start:end]

    def _exchange(self, night: date, streams: tuple[str, ...], after: date) -> int:
        batches = [
            _Batch(tag, streams, after, night)
            for tag in self.tags
            if self._days(tag, streams[0], after, night)
        ]
        if not batches:
            return 0
        write, suffix = {"xml": (formats.write_xml, "xml"), "lines": (formats.write_lines, "jsonl")}[
            streams[0]
        ]
        path = self.folder / f"exchange_{night:%Y%m%d}.{suffix}"
        self.files += [(batch, path.name) for batch in batches]
        parts = [
            formats.Part(batch.tag, self.tags[batch.tag], batch.query(self.nights[0])) for batch in batches
        ]
        return write(self.con, parts, path, platform_code=self.platform_code)


def _list_files(con: duckdb.DuckDBPyConnection, files: list[tuple[_Batch, str]]) -> None:
    """Create ``delivery.files``: which file holds the records of a tag and a stream that became known then."""
    rows = [(batch, stream, name) for batch, name in files for stream in batch.streams]
    listed = pa.table(
        {
            "tag": pa.array([batch.tag for batch, _, _ in rows], pa.string()),
            "stream": pa.array([stream for _, stream, _ in rows], pa.string()),
            "after": pa.array([batch.after for batch, _, _ in rows], pa.date32()),
            "until": pa.array([batch.until for batch, _, _ in rows], pa.date32()),
            "file": pa.array([name for _, _, name in rows], pa.string()),
        }
    )
    con.register("listed", listed)
    con.execute("CREATE OR REPLACE TABLE delivery.files AS SELECT * FROM listed")
    con.unregister("listed")


def _write_sheets(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the opening sheet of every lot that is kept by hand; its name begins with the night."""
    sheets = con.execute(
        """
        SELECT c.night, l.tender_name, l.lot_id, y.name, l.opening_at, l.method_text, l.ceiling_fen, l.is_ten_thousand,
               list(struct_pack(
                   bidder_name := written_name(f.name, f.former_name, b.name_form), price_fen := b.price_fen,
                   duration_days := b.duration_days, manager_name := coalesce(person_name(b.manager), ''),
                   deposit_form := coalesce(b.deposit_form, ''), submitted_at := b.submitted_at
               ) ORDER BY b.submitted_at, b.firm)
        FROM world.lots AS l
        JOIN delivery.calendar AS c ON c.stream = stream_of(l.channel)
            AND c.day = greatest(sent_on(bids_known_at(l.opening_at)), (SELECT min(day) FROM delivery.calendar))
        JOIN world.buyers AS y ON y.buyer = l.buyer
        JOIN world.bids AS b ON b.lot = l.lot
        JOIN world.firms AS f ON f.firm = b.firm
        WHERE l.channel = 'sheet'
        GROUP BY ALL
        ORDER BY l.lot_id
        """
    ).fetchall()
    for (
        night,
        tender_name,
        lot_id,
        buyer_name,
        opening_at,
        method,
        ceiling_fen,
        is_ten_thousand,
        bids,
    ) in sheets:
        head = formats.OpeningHead(
            tender_name, lot_id, buyer_name, opening_at, method, ceiling_fen, is_ten_thousand
        )
        content = formats.opening_sheet(head, [formats.OpeningRow(**bid) for bid in bids])
        (folder / f"开标记录表_{night:%Y%m%d}_{lot_id}.xlsx").write_bytes(content)
