import pytest

from pipelines import duck
from pipelines.intake.schema import PERSONAL, table_schemas
from pipelines.snapshot import core, gates, stage

# A small state of things that breaks nothing: one opened and decided lot with two bids.
SOUND = """
CREATE TABLE stage.night AS SELECT TIMESTAMP '2026-06-30 16:00:00' AS cutoff;
CREATE TABLE stage.accounts AS SELECT 'f1' AS raw_sha, 5 AS records, 2 AS loaded, 2 AS duplicate, 1 AS refused;
INSERT INTO stage.lots (lot_id, opening_at, ceiling_price, currency) VALUES
    ('L1', '2026-06-01 01:30:00', 1000000, 'CNY');
INSERT INTO stage.bids (lot_id, bidder, bidder_name, price, currency, is_public, agent) VALUES
    ('L1', 'A', '甲', 900000, 'CNY', FALSE, 'h1:a'), ('L1', 'B', '乙', 950000, 'CNY', FALSE, NULL);
INSERT INTO stage.awards (lot_id, winner, awarded_on, is_public, project_lead) VALUES
    ('L1', 'A', '2026-06-03', FALSE, 'h1:b');
INSERT INTO stage.experts (lot_id, expert_key, expert, is_public) VALUES ('L1', 'h1:c', 'h1:c', FALSE);
INSERT INTO stage.deposits (lot_id, bidder, account, is_public) VALUES ('L1', 'A', 'h1:d', FALSE);
"""

SECRET_LOT = "INSERT INTO stage.lots (lot_id, opening_at) VALUES ('L2', '2026-06-30 16:00:00');"

#: gate -> what breaks it: in the stage before core is built, or in core afterwards.
BREACHES = [
    (
        "bid_files_have_come",
        "INSERT INTO stage.bid_files (lot_id, bidder, kind, file_hash, is_public) VALUES ('L1', 'A', 'bid', 'ab', TRUE)",
        "",
    ),
    ("bids_have_a_lot", "INSERT INTO stage.bids (lot_id, bidder, is_public) VALUES ('L9', 'A', TRUE)", ""),
    ("every_bid_reaches_core", "", "DELETE FROM core.bids WHERE bidder_id = 'B'"),
    ("every_bid_reaches_core", "", "UPDATE core.bids SET lances = 2 WHERE bidder_id = 'B'"),
    ("every_record_accounted", "UPDATE stage.accounts SET loaded = 1", ""),
    ("every_record_accounted", "UPDATE stage.accounts SET refused = 2", ""),
    ("one_bid_per_bidder", "", "INSERT INTO core.bids BY NAME SELECT * REPLACE (0 AS lances) FROM core.bids"),
    ("one_row_per_lot", "", "INSERT INTO core.lots SELECT * FROM core.lots"),
    ("persons_are_tokens", "UPDATE stage.bids SET agent = '张三' WHERE bidder = 'A'", ""),
    ("persons_are_tokens", "UPDATE stage.bids SET operator_phone = '13912345678' WHERE bidder = 'A'", ""),
    ("persons_are_tokens", "UPDATE stage.awards SET project_lead = '张三'", ""),
    ("persons_are_tokens", "UPDATE stage.experts SET expert = '张三'", ""),
    ("persons_are_tokens", "UPDATE stage.deposits SET account = '6222000011112222'", ""),
    (
        "persons_are_tokens",
        "INSERT INTO stage.document_purchases (lot_id, bidder, account, is_public) VALUES ('L1', 'A', '6222', TRUE)",
        "",
    ),
    (
        "persons_are_tokens",
        "INSERT INTO stage.file_properties (file_sha, property, value, is_public) VALUES ('f', 'author', '张三', TRUE)",
        "",
    ),
    ("persons_are_tokens", "INSERT INTO stage.parties (party, phone) VALUES ('A', '0391-7000000')", ""),
    ("persons_are_tokens", "INSERT INTO stage.parties (party, email) VALUES ('A', 'a@b.cn')", ""),
    ("persons_are_tokens", "UPDATE stage.deposits SET premium_account = '6222000011112222'", ""),
    (
        "persons_are_tokens",
        "INSERT INTO stage.people (lot_id, bidder, email, is_public) VALUES ('L1', 'A', 'a@b.cn', TRUE)",
        "",
    ),
    (
        "persons_are_tokens",
        "INSERT INTO stage.expert_scores (lot_id, expert_key, expert, bidder, is_public) VALUES ('L1', 'k', '张三', 'A', TRUE)",
        "",
    ),
    ("prices_are_positive", "UPDATE stage.bids SET price = 0 WHERE bidder = 'A'", ""),
    ("prices_fit_the_ceiling", "UPDATE stage.bids SET price = price / 10000", ""),
    ("prices_fit_the_ceiling", "UPDATE stage.bids SET price = price * 10000", ""),
    ("nothing_secret", "UPDATE stage.lots SET opening_at = '2026-06-30 16:00:00'", ""),
    ("nothing_secret", "UPDATE stage.lots SET opening_at = NULL", ""),
    ("nothing_secret", "UPDATE stage.awards SET awarded_on = '2026-07-01'", ""),
]
BREACHES += [
    ("nothing_secret", f"{SECRET_LOT} INSERT INTO stage.{table} (lot_id, is_public) VALUES ('L2', FALSE)", "")
    for table, one in table_schemas().items()
    if one.secret_until in ("opening", "result") and table != "bids"
]
BREACHES += [
    ("nothing_secret", f"INSERT INTO stage.{table} (file_sha, is_public) VALUES ('f', FALSE)", "")
    for table, one in table_schemas().items()
    if one.secret_until == "owner"
]


def judged(in_stage="", in_core=""):
    con = duck.connect()
    stage.create(con)
    con.execute(SOUND)
    con.execute(in_stage or "SELECT 1")
    core.build(con)
    con.execute(in_core or "SELECT 1")
    return {gate.name: gate for gate in gates.check(con)}


def test_every_gate_is_open_when_nothing_is_broken():
    found = judged()
    assert all(gate.passed and gate.violations == 0 and not gate.blocks for gate in found.values())
    assert set(found) == {path.stem for path in gates.FOLDER.glob("*.sql")}


@pytest.mark.parametrize(("gate", "in_stage", "in_core"), BREACHES)
def test_a_gate_closes_when_its_invariant_is_broken(gate, in_stage, in_core):
    found = judged(in_stage, in_core)
    assert not found[gate].passed
    assert found[gate].violations >= 1
    assert found[gate].blocks != found[gate].is_warning


def test_every_gate_was_seen_to_close():
    assert {gate for gate, *_ in BREACHES} == {path.stem for path in gates.FOLDER.glob("*.sql")}


def test_what_only_warns_does_not_block_the_night():
    assert {name for name, gate in judged().items() if gate.is_warning} == {
        "bid_files_have_come",
        "bids_have_a_lot",
        "prices_fit_the_ceiling",
    }


def test_what_is_public_already_is_no_secret():
    published = "UPDATE stage.lots SET opening_at = NULL; UPDATE stage.bids SET is_public = TRUE;"
    assert judged(published + "UPDATE stage.deposits SET is_public = TRUE")["nothing_secret"].passed


DOCUMENT = (
    "INSERT INTO stage.files (file_sha, file_md5, is_public) VALUES ('f', 'm', FALSE);"
    "INSERT INTO stage.file_parts (file_sha, is_public) VALUES ('f', FALSE);"
)


def index(lot, kind, hash="f"):
    return (
        "INSERT INTO stage.bid_files (lot_id, bidder, kind, file_hash, is_public)"
        f" VALUES ('{lot}', 'A', '{kind}', '{hash}', FALSE);"
    )


@pytest.mark.parametrize(
    ("rows", "is_shown"),
    [
        (index("L1", "bid"), True),
        (index("L1", "bid", "M"), True),
        (index("", "template"), True),
        (SECRET_LOT + index("L2", "bid"), False),
        (index("L1", "bid", "other"), False),
    ],
    ids=["opened lot", "by its MD5", "template", "lot not opened", "another file"],
)
def test_a_document_is_a_secret_until_a_row_of_the_index_that_may_be_shown_names_it(rows, is_shown):
    assert judged(DOCUMENT + rows)["nothing_secret"].passed == is_shown


def test_a_gate_says_in_two_languages_what_holds():
    for gate in judged().values():
        assert gate.holds.endswith(".")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in gate.holds_zh)


def test_every_personal_column_that_core_shows_is_watched():
    con = duck.connect()
    stage.create(con)
    core.build(con)
    personal = {
        column.name
        for one in table_schemas().values()
        for column in one.columns.values()
        if column.type in PERSONAL
    }
    watched = (gates.FOLDER / "persons_are_tokens.sql").read_text(encoding="utf-8")
    # The people behind bids are rows of core.people.
    for (table,) in con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'core'"
    ).fetchall():
        columns = {row[0] for row in con.execute(f"DESCRIBE core.{table}").fetchall()} & personal
        assert table == "bids" or not columns or f"core.{table}\n" in watched or f"core.{table} " in watched
