"""A county of forty lots, one opening a day from 1 May to 9 June 2026 at nine, and the nights around it."""

import codecs
import csv
import io
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines import simulator
from pipelines.simulator import deliveries

HERE = Path(simulator.__file__).parent
FIRST, LAST = date(2026, 5, 20), date(2026, 6, 5)

COUNTY = """
INSERT INTO world.firms
SELECT n, n // 10, '410821', CASE n // 10 WHEN 0 THEN 'works' ELSE 'goods' END, '修武样例' || n || '号有限公司',
       credit_code('91', '410821', n), CASE n WHEN 3 THEN '修武样例旧名有限公司' END, n * 16,
       CASE n WHEN 5 THEN 6 ELSE -1 END, CASE n WHEN 5 THEN 0.51 ELSE 0 END, DATE '2020-03-02' + CAST(n AS INTEGER), TRUE, 1
FROM generate_series(0, 19) AS t (n);
INSERT INTO world.buyers SELECT n, '修武样例单位' || n, credit_code('12', '410821', 500 + n), '410821'
FROM generate_series(0, 1) AS t (n);
INSERT INTO world.agencies
SELECT n, '修武样例代理' || n, credit_code('91', '410821', 600 + n), phone(agency_phone_number(n)), '410821'
FROM generate_series(0, 1) AS t (n);
INSERT INTO world.lots BY NAME
SELECT n AS lot, printf('E4108210000000%03d001001', n) AS lot_id, printf('E4108210000000%03d001', n) AS tender_id,
       printf('E4108210000000%03d', n) AS project_id,
       printf('A99-%s-20260501-%06d-0', credit_code('12', '410821', 700), n) AS deal_code,
       TRUE AS is_first_of_tender, '样例第' || n || '标段' AS lot_name, '样例工程' || n AS tender_name,
       'building' AS segment, ['A01', 'A03', 'A07', 'D01'][n % 4 + 1] AS project_type, 'A08' AS class_code,
       CASE n % 4 WHEN 3 THEN 'government_procurement' ELSE 'construction' END AS regime,
       ['housing', 'old_system', 'exchange', 'procurement'][n % 4 + 1] AS channel,
       '410821' AS region_code, n % 2 AS buyer, n % 2 AS agency, '修武县样例局' AS supervisor_name, 1 AS attempt,
       'lowest' AS rule, '经评审的最低投标价法' AS method_text,
       100000000 + n * 12345 AS ceiling_fen, 102000000 + n * 12345 AS estimate_fen, 2000000 AS deposit_fen,
       n % 5 = 0 AS is_ten_thousand, FALSE AS is_by_rate, TRUE AS is_electronic, TRUE AS has_traces,
       -1 AS buyer_machine, -1 AS buyer_dongle,
       opening_at - INTERVAL 21 DAYS AS published_at, opening_at - INTERVAL 20 DAYS AS document_at, opening_at,
       'awarded' AS status, opening_at + INTERVAL 5 DAYS AS shown_at, opening_at + INTERVAL 15 DAYS AS signed_at,
       n % 4 // 3 * 10 + n % 5 AS winner, 90000000 AS winner_fen, 90000000 AS contract_fen, -1 AS subcontractor
FROM (SELECT n, TIMESTAMP '2026-05-01 09:00:00' + to_days(CAST(n AS INTEGER)) AS opening_at
      FROM generate_series(0, 39) AS t (n));
-- Four bids a lot: the winner's firm and the next three of its market.
INSERT INTO world.bids BY NAME
SELECT l.lot, l.winner + i AS firm, -1 AS partner, 90000000 + i * 1234567 AS price_fen, 85000000 AS cost_fen,
       120 AS duration_days, l.opening_at - to_hours(CAST(i + 1 AS INTEGER)) AS submitted_at,
       l.opening_at - INTERVAL 12 DAYS AS purchased_at, l.opening_at - INTERVAL 2 DAYS AS deposited_at,
       firm * 16 + 1 AS manager, firm * 16 + 2 AS leader, firm * 16 + 3 AS operator, firm * 16 + 4 AS agent,
       firm * 16 + 3 AS operator_phone, firm * 16 + 4 AS agent_phone, '转账' AS deposit_form, firm * 1000 AS account,
       firm * 10 AS edit_machine, firm * 10 + 1 AS upload_machine, firm * 10 + 2 AS pricing_machine, firm AS dongle,
       firm * 50 AS ip, FALSE AS is_on_site, l.lot * 100 + i AS file_id, FALSE AS has_buyers_entry, i + 1 AS rank,
       0 AS name_form, 0 AS code_form, FALSE AS is_wrong_unit, -1 AS ring, 'honest' AS role
FROM world.lots AS l, generate_series(0, 3) AS t (i) ORDER BY l.lot, firm;
INSERT INTO world.experts SELECT lot, 15000000 + lot + seat, seat, seat = 0
FROM world.lots, generate_series(0, 2) AS t (seat);
"""


@pytest.fixture
def world():
    """The county in a database; tests change what they need before it is delivered."""
    con = duckdb.connect(config={"python_enable_replacements": False, "threads": 2})
    for text in ("identity", "world"):
        con.execute((HERE / f"{text}.sql").read_text(encoding="utf-8"))
    con.execute(COUNTY)
    yield con
    con.close()


@pytest.fixture
def nights():
    """Seventeen nights: the old system sends on the first, the eighth, the fifteenth and the last."""
    return [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


@pytest.fixture
def last_night():
    """One night alone, which carries everything."""
    return [LAST]


class Record(NamedTuple):
    """One delivered record: where it stood, its tag, and its filled fields, title and all."""

    file: str
    night: date
    tag: str
    fields: dict[str, str]

    @property
    def key(self):
        return self.fields["DATA_KEY"]

    @property
    def content(self):
        return self.tag, tuple(sorted(self.fields.items()))


def records_of(out):
    """Read every file of ``inbox/national`` with the standard library's readers."""
    found = []
    for path in sorted((out / "inbox" / "national").iterdir()):
        stem, day = re.fullmatch(r"(\w+?)_(\d{8})(?:_\d+)?", path.stem).groups()
        night = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        if path.suffix == ".xml":
            rows = [
                (part.findtext("TITLE/DATA_EN"), fields_of(part))
                for part in ElementTree.parse(path).getroot()
            ]
        elif path.suffix == ".jsonl":
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            rows = [(one["TITLE"]["DATA_EN"], titled(one["TITLE"]) | one["CONTEXT"]) for one in lines]
        elif path.suffix == ".parquet":
            rows = [(stem, row) for row in pq.read_table(path).to_pylist()]
        else:
            content = path.read_bytes()
            has_mark = content.startswith(codecs.BOM_UTF8)
            text = content.decode("utf-8-sig" if has_mark else "gb18030")
            rows = [(stem, row) for row in csv.DictReader(io.StringIO(text))]
        for tag, fields in rows:
            filled = {name: value for name, value in fields.items() if value and name != "PLATFORM_CODE"}
            found.append(Record(path.name, night, tag, filled))
    return found


def fields_of(part):
    title = {child.tag: child.text for child in part.find("TITLE")}
    return titled(title) | {child.tag: child.text for child in part.find("CONTEXT")}


def titled(title):
    return {"DATA_KEY": title["DATA_KEY"], "TITLE/DATA_TYPE": title["DATA_TYPE"]}


@pytest.fixture
def deliver(tmp_path):
    """Deliver a world into a folder of its own and read what is there."""

    def delivered(world, nights, form="exchange", name="out"):
        count = deliveries.deliver(world, tmp_path / name, nights, form)
        records = records_of(tmp_path / name)
        assert count == len(records)
        return records

    return delivered
