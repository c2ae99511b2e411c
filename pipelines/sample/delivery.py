"""The deliveries of the sample: what arrives in which file, with the dirt that real files have."""

from __future__ import annotations

from pathlib import Path

from pipelines.sample.county import (
    BY_HAND,
    BY_LINES,
    BY_XML,
    SEED,
    TRACED_FROM,
    County,
    Firm,
    Lot,
    Row,
    credit_code,
)
from pipelines.sample.formats import as_lines, as_xml, sheet, table
from pipelines.sample.planting import plant
from pipelines.sample.records import Records, purchases, records_of, registers

OLD, NEW = "20260131", "20260531"  # the two deliveries that come as tables


class Sample:
    """The whole sample. ``files`` holds the bytes of every file by its path."""

    def __init__(self, seed: int = SEED) -> None:
        self.county = County(seed)
        self.special = plant(self.county)
        self.files: dict[str, bytes] = {}
        self.dirt: list[Row] = []
        self._write_national()
        for place, number in enumerate(BY_HAND):
            lot = self.county.lots[number]
            name = f"开标记录表_{lot.opening:%Y%m%d}_{place + 1}.xlsx"
            self.files[f"inbox/opening_sheets/{name}"] = sheet(lot, in_ten_thousand=place == 1)
        self.files["truth/links.csv"] = table(self.county.links).encode()
        self.files["truth/records.csv"] = table(self.dirt).encode()

    def write(self, out: Path) -> int:
        """Write the files below ``out`` and return how many bytes they hold; other files stay."""
        for path, content in self.files.items():
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return sum(map(len, self.files.values()))

    def _write_national(self) -> None:
        deliveries: dict[str, Records] = {OLD: [], NEW: [], "lines": [], "xml": []}
        for lot in self.county.lots:
            if lot.number not in BY_HAND:
                delivery = _delivery(lot)
                deliveries[delivery] += records_of(lot, is_full=delivery in ("lines", "xml"))
        self._spoil(deliveries)
        for delivery in (OLD, NEW):
            for tag in dict.fromkeys(tag for tag, _ in deliveries[delivery]):
                rows = [row for name, row in deliveries[delivery] if name == tag]
                # The old bidder lists come from an older system, in the older encoding.
                encoding = "gb18030" if (delivery, tag) == (OLD, "TENDER_LIST") else "utf-8-sig"
                self.files[f"inbox/national/{tag}_{delivery}.csv"] = table(rows).encode(encoding)
        for tag, rows in (registers(self.county) | purchases(self.county)).items():
            self.files[f"inbox/national/{tag}_20260630.csv"] = table(rows).encode("utf-8-sig")
        self.files["inbox/national/exchange_20260531.jsonl"] = as_lines(deliveries["lines"])
        self.files["inbox/national/exchange_20260630.xml"] = as_xml(deliveries["xml"])

    def _spoil(self, deliveries: dict[str, Records]) -> None:
        """Add the records that a night must refuse, drop, replace or hold back."""
        old, new = deliveries[OLD], deliveries[NEW]
        lines, xml = deliveries["lines"], deliveries["xml"]

        def pick(records: Records, tag: str, place: int) -> Row:
            return [row for t, row in records if t == tag][place]

        def spoiled(place: int, what: str, code: str, **changes: str) -> None:
            stranger = Firm(9500 + place, f"修武样例错录{place}号有限公司")
            row = {
                **pick(new, "TENDER_LIST", place * 7),
                "BIDDER_NAME": stranger.name,
                "BIDDER_ORG_CODE": stranger.code,
            }
            new.append(("TENDER_LIST", row | changes))
            self._note(
                "TENDER_LIST_20260531.csv", "TENDER_LIST", row["BID_SECTION_CODE"], what, "refused", code
            )

        wrong = credit_code(9500)
        spoiled(
            0,
            "credit code with a wrong check digit",
            "CHECK_DIGIT",
            BIDDER_ORG_CODE=wrong[:-1] + ("A" if wrong[-1] != "A" else "B"),
        )
        spoiled(1, "price 12,3x", "UNREADABLE_VALUE", BID_PRICE="12,3x")
        spoiled(2, "price form 7", "UNREADABLE_VALUE", PRICE_FORM_CODE="7")
        spoiled(3, "neither name nor code", "MISSING_VALUE", BIDDER_NAME="无", BIDDER_ORG_CODE="/")
        spoiled(4, "price of zero", "PRICE_NOT_POSITIVE", BID_PRICE="0.00")
        spoiled(5, "unknown unit of price", "UNREADABLE_VALUE", PRICE_UNIT="2")
        section = pick(new, "SECTION", 3)
        for what, code, changes in (
            (
                "lot code not inside the tender code",
                "LOT_NOT_IN_TENDER",
                {"BID_SECTION_CODE": "E4108219999999999001001"},
            ),
            (
                "region code that does not exist",
                "UNKNOWN_REGION",
                {"REGION_CODE": "410899", "BID_SECTION_CODE": section["TENDER_PROJECT_CODE"] + "009"},
            ),
        ):
            new.append(("SECTION", section | changes))
            self._note("SECTION_20260531.csv", "SECTION", changes["BID_SECTION_CODE"], what, "refused", code)
        for place in (11, 57, 301):
            row = pick(old, "TENDER_LIST", place)
            old.append(("TENDER_LIST", dict(row)))
            self._note(
                "TENDER_LIST_20260131.csv",
                "TENDER_LIST",
                row["BID_SECTION_CODE"],
                "the same row twice",
                "duplicate",
            )
        row = pick(old, "TENDER_LIST", 100)
        old.append(("TENDER_LIST", row | {"TIME_LIMIT": "999"}))
        self._note(
            "TENDER_LIST_20260131.csv",
            "TENDER_LIST",
            row["BID_SECTION_CODE"],
            "two versions with one time stamp",
            "conflict",
        )
        row = pick(new, "TENDER_LIST", 20)
        later = {"DATA_TIMESTAMP": "20260529120000", "TIME_LIMIT": "180"}
        lines.append(("TENDER_LIST", row | later))
        self._note(
            "exchange_20260531.jsonl",
            "TENDER_LIST",
            row["BID_SECTION_CODE"],
            "corrected duration",
            "replaces",
        )
        row = pick(new, "TENDER_LIST", 30)
        stranger = Firm(9510, "修武样例误报有限公司")
        mistaken = row | {"BIDDER_NAME": stranger.name, "BIDDER_ORG_CODE": stranger.code}
        new.append(("TENDER_LIST", mistaken))
        xml.append(("TENDER_LIST", mistaken | {"DATA_TIMESTAMP": "20260620120000", "TITLE/DATA_TYPE": "3"}))
        self._note(
            "exchange_20260630.xml", "TENDER_LIST", row["BID_SECTION_CODE"], "bid deleted later", "deletes"
        )
        lot = self.special.postponed
        document = next(
            r for t, r in xml if t == "TENDER_FILE_CLARI_MODI" and r["BID_SECTION_CODE"] == lot.lot_id
        )
        first = document | {"BID_OPEN_TIME": "20260624090000", "DATA_TIMESTAMP": "20260601090000"}
        xml.insert(0, ("TENDER_FILE_CLARI_MODI", first))
        self._note(
            "exchange_20260630.xml",
            "TENDER_FILE_CLARI_MODI",
            lot.lot_id,
            "opening moved to 2026-07-03",
            "replaces",
        )
        for lot in (self.special.postponed, self.special.future):
            self._note(
                "exchange_20260630.xml", "TENDER_LIST", lot.lot_id, "lot not opened on 2026-06-30", "held"
            )
        lot = self.special.in_rates
        self._note("", "TENDER_LIST", lot.lot_id, "prices are discounts, not amounts", "loaded")
        for tag in ("SECTION", "TENDER_PROJECT"):
            lines.append((tag, dict(pick(new, tag, 5))))
            self._note(
                "exchange_20260531.jsonl",
                tag,
                pick(new, tag, 5).get("BID_SECTION_CODE", ""),
                "delivered again",
                "duplicate",
            )

    def _note(self, file: str, section: str, lot_id: str, what: str, fate: str, code: str = "") -> None:
        self.dirt.append(
            {"file": file, "section": section, "lot_id": lot_id, "what": what, "fate": fate, "code": code}
        )


def _delivery(lot: Lot) -> str:
    if lot.number in BY_LINES:
        return "lines"
    if lot.number in BY_XML:
        return "xml"
    return OLD if lot.number < TRACED_FROM else NEW
