"""The documents of some lots: tender document, bids, and one standard form; what rings leave in their bids.

Every honest bidder copies the standard form and some passages of the tender document, repeats its own prose
from lot to lot, mistypes a little, and signs with its own people and pictures; some let one consultant write
a chapter. A ring copies a chapter with its mistakes, lets one person write all its bids, pastes one
picture, binds in a page of another member, or leaves another member's name inside. A careful ring (one
that left no other trace in the lot) mostly leaves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.simulator import paper_forms, phrases
from pipelines.simulator.streams import Streams

BID, TENDER, FORM = "1", "2", "3"

LEAK_SHARE = 0.6  # of each kind, in a lot where the ring left other traces too
CAREFUL_LEAK_SHARE = 0.2  # copied text alone, where it left none
CONSULTANT_SHARE = 0.35  # of the honest lots
LOTS_PER_CONSULTANT = 30  # with documents: one who writes for years is in the files of many lots

TENDER_PARAGRAPHS, QUOTED_PARAGRAPHS = 40, 6
OWN_PARAGRAPHS, HOUSE_PARAGRAPHS, SHARED_PARAGRAPHS = 30, 8, 12
OWN_MISTAKES, SHARED_MISTAKES = 0.005, 0.08  # of the letters that are easily mistyped

IN_TEXT = ("copied_text", "mixed_page", "other_name")
IN_DOCX = ("document_author", "shared_image")
FIRST_SHARED_PICTURE = 10_000_000  # below it are the firms' own

#: A sixth of the bidders write plain text, half of them in GB18030; a quarter of the hashes are MD5.
_TEXT_EVERY, _GB18030_EVERY, _MD5_EVERY = 6, 12, 4

_BIDS = """
WITH fit AS (
    SELECT l.lot, bool_or(b.ring >= 0) AS is_rigged
    FROM world.lots AS l JOIN world.bids AS b ON b.lot = l.lot
    WHERE l.has_traces AND l.channel <> 'sheet' AND l.opening_at < $until
    GROUP BY l.lot
    HAVING count(*) >= 3
),
chosen AS (
    SELECT lot, row_number() OVER (PARTITION BY is_rigged ORDER BY lot DESC) AS place, is_rigged FROM fit
    ORDER BY place, is_rigged DESC
    LIMIT $lots
),
traced AS (
    SELECT DISTINCT lot FROM world.links WHERE NOT is_innocent
)
SELECT c.lot, l.lot_id, l.lot_name, y.name AS buyer, l.document_at, c.lot IN (SELECT lot FROM traced) AS is_traced,
       b.firm, b.ring, f.name AS bidder, f.code, CAST(b.price_fen AS DECIMAL(18, 0)) * 0.01 AS price,
       person_name(b.operator) AS operator, phone(b.operator_phone) AS phone, person_id(f.head) AS head_id,
       person_name(f.head) AS head, b.submitted_at
FROM chosen AS c
JOIN world.lots AS l ON l.lot = c.lot
JOIN world.buyers AS y ON y.buyer = l.buyer
JOIN world.bids AS b ON b.lot = c.lot
JOIN world.firms AS f ON f.firm = b.firm
ORDER BY c.lot, b.firm
"""


@dataclass(frozen=True)
class _Bid:
    """One bid as the query gives it."""

    lot: int
    lot_id: str
    lot_name: str
    buyer: str
    document_at: datetime
    is_traced: bool
    firm: int
    ring: int
    bidder: str
    code: str
    price: object
    operator: str | None
    phone: str | None
    head_id: str
    head: str
    submitted_at: datetime

    @property
    def is_docx(self) -> bool:
        return self.firm % _TEXT_EVERY != 0

    def form(self) -> list[str]:
        """Return the standard form as this bidder filled it in."""
        return phrases.forms(
            buyer=self.buyer,
            lot_name=self.lot_name,
            price=f"{self.price:,}",
            bidder=self.bidder,
            phone=self.phone or "",
            id_number=self.head_id,
        )


@dataclass(frozen=True)
class _Link:
    lot: int
    what: str
    ring: int
    firms: list[int]
    is_innocent: bool
    note: str


def write_papers(con: duckdb.DuckDBPyConnection, out: Path, *, lots: int, seed: int, until: date) -> int:
    """Write the documents of ``lots`` lots to ``out/inbox/bid_files``; return how many files there are.

    Adds rows to ``world.papers``, which becomes the index, and to ``world.links``.

    Args:
        con: the world, complete.
        out: the folder of the county.
        lots: number of lots: the latest ones, half of them rigged if there are enough.
        seed: of the county.
        until: only lots opened before this day.
    """
    folder = out / "inbox" / "bid_files"
    folder.mkdir(parents=True)
    rows = con.execute(_BIDS, {"until": until, "lots": lots}).fetchall()
    bids = [_Bid(*row) for row in rows]
    papers = [_paper(folder, -1, -1, FORM, "范本.docx", _buyers_docx(phrases.forms(), datetime(2026, 1, 1)))]  # noqa: DTZ001 (UTC, as in the file)
    links: list[_Link] = []
    for lot, group in groupby(bids, key=lambda bid: bid.lot):
        here = list(group)
        rng = Streams(seed).of("papers", lot)
        tender = phrases.paragraphs(rng, TENDER_PARAGRAPHS, "tender")
        content = _buyers_docx([f"{here[0].lot_name}招标文件", *tender], here[0].document_at)
        papers.append(_paper(folder, lot, -1, TENDER, f"{here[0].lot_id}_招标文件.docx", content))
        left = _leaks(rng, here)
        links += left or _consultant(rng, here)
        of_lot = lot % max(lots // LOTS_PER_CONSULTANT, 1)
        papers += [_bid_paper(folder, rng, seed, bid, here, tender, links, of_lot) for bid in here]
    _insert(con, papers, links)
    return len(papers)


def _leaks(rng: np.random.Generator, bids: list[_Bid]) -> list[_Link]:
    """Return what the rings of a lot leave in their bids. It came from the first firm of a link."""
    left = []
    for ring in sorted({bid.ring for bid in bids if bid.ring >= 0}):
        seats = [bid for bid in bids if bid.ring == ring]
        for what in (*IN_TEXT, *IN_DOCX):
            firms = [bid.firm for bid in seats if bid.is_docx or what in IN_TEXT]
            share = LEAK_SHARE if bids[0].is_traced else CAREFUL_LEAK_SHARE * (what == "copied_text")
            if rng.random() < share and len(firms) > 1:
                pair = firms if what in ("copied_text", *IN_DOCX) else firms[:2]
                left.append(_Link(bids[0].lot, what, ring, pair, False, ""))
    return left


def _consultant(rng: np.random.Generator, bids: list[_Bid]) -> list[_Link]:
    """Give two honest bidders a chapter by one consultant, in some lots without a ring."""
    if rng.random() >= CONSULTANT_SHARE or any(bid.ring >= 0 for bid in bids):
        return []
    firms = sorted(int(firm) for firm in rng.choice([bid.firm for bid in bids], 2, replace=False))
    note = "one consultant wrote a chapter for several bidders, each for itself"
    return [_Link(bids[0].lot, "consultant_template", -1, firms, True, note)]


def _bid_paper(
    folder: Path,
    rng: np.random.Generator,
    seed: int,
    bid: _Bid,
    bids: list[_Bid],
    tender: list[str],
    links: Iterable[_Link],
    consultant: int,
) -> tuple[int, int, str, str, str]:
    mine = {link.what: link for link in links if link.lot == bid.lot and bid.firm in link.firms}
    of_firm = {other.firm: other for other in bids}
    streams = Streams(seed)
    start = int(rng.integers(len(tender) - QUOTED_PARAGRAPHS))
    own = phrases.paragraphs(rng, OWN_PARAGRAPHS, "bid")
    house = phrases.paragraphs(streams.of("house style", bid.firm), HOUSE_PARAGRAPHS, "bid")
    text = [*house, *(phrases.mistyped(rng, line, OWN_MISTAKES) for line in own)]
    for what, purpose, number in (
        ("copied_text", "ring chapter", bid.lot),
        ("consultant_template", "consultant chapter", consultant),
    ):
        if what in mine:
            shared = streams.of(purpose, number)
            chapter = phrases.paragraphs(shared, SHARED_PARAGRAPHS, "bid")
            text[10:10] = [phrases.mistyped(shared, line, SHARED_MISTAKES) for line in chapter]
    if (link := mine.get("other_name")) and link.firms[0] == bid.firm:
        text.append(f"{of_firm[link.firms[1]].bidder}承诺：上述措施由项目部全面落实，{own[0]}")
    if (link := mine.get("mixed_page")) and link.firms[1] == bid.firm:
        text[20:20] = of_firm[link.firms[0]].form()[:7]
    paragraphs = [*bid.form(), *tender[start : start + QUOTED_PARAGRAPHS], *text]
    if not bid.is_docx:
        content = "\n".join(paragraphs).encode("gb18030" if bid.firm % _GB18030_EVERY == 0 else "utf-8")
        return _paper(folder, bid.lot, bid.firm, BID, f"{bid.lot_id}_{bid.code}.txt", content)
    writer = bid
    if link := mine.get("document_author"):
        writer = of_firm[link.firms[0]]
    pictures = [paper_forms.png(bid.firm)]
    if link := mine.get("shared_image"):
        pictures.append(paper_forms.png(FIRST_SHARED_PICTURE + link.ring))
    properties = paper_forms.Properties(
        author=writer.operator or writer.head,
        last_modified_by=writer.operator or writer.head,
        company=bid.bidder,
        application="样例文字处理",
        created_at=bid.submitted_at - timedelta(days=6),
        modified_at=bid.submitted_at - timedelta(hours=9),
    )
    content = paper_forms.docx(paragraphs, properties, pictures)
    return _paper(folder, bid.lot, bid.firm, BID, f"{bid.lot_id}_{bid.code}.docx", content)


def _buyers_docx(paragraphs: list[str], at: datetime) -> bytes:
    properties = paper_forms.Properties("Administrator", "Administrator", "", "样例文字处理", at, at)
    return paper_forms.docx(paragraphs, properties, [])


def _paper(
    folder: Path, lot: int, firm: int, kind: str, name: str, content: bytes
) -> tuple[int, int, str, str, str]:
    """Write a document and return its row of ``world.papers``."""
    (folder / name).write_bytes(content)
    is_md5 = firm % _MD5_EVERY == 1
    digest = hashlib.md5(content, usedforsecurity=False) if is_md5 else hashlib.sha256(content)
    return lot, firm, kind, name, digest.hexdigest()


def _insert(
    con: duckdb.DuckDBPyConnection, papers: list[tuple[int, int, str, str, str]], links: list[_Link]
) -> None:
    columns = zip(*papers, strict=True)
    rows = pa.table(dict(zip(("lot", "firm", "kind", "name", "hash"), map(list, columns), strict=True)))
    con.register("paper_rows", rows)
    con.execute("INSERT INTO world.papers BY NAME SELECT * FROM paper_rows")
    con.unregister("paper_rows")
    found = pa.Table.from_pylist(
        [vars(link) for link in links],
        pa.schema(
            [
                ("lot", pa.int32()),
                ("what", pa.string()),
                ("ring", pa.int32()),
                ("firms", pa.list_(pa.int32())),
                ("is_innocent", pa.bool_()),
                ("note", pa.string()),
            ]
        ),
    )
    con.register("link_rows", found)
    con.execute("INSERT INTO world.links BY NAME SELECT * FROM link_rows")
    con.unregister("link_rows")
