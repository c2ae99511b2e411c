# From a bidder's document in the inbox to its paragraphs in core, with lot and bidder.

import hashlib
import io
from datetime import date

import docx
import duckdb
import pytest
import sample_night

from pipelines import settings, vault
from pipelines.intake import lineage, mapping, receiving
from pipelines.store import opened

FIRM, OTHER = "91410821YL012HL49M", "91410821YL012HLC4E"
NIGHT = "2026-06-30 16:00:00"  # midnight in Shanghai, as UTC
PHONE = "13912345678"
INDEX = "BID_SECTION_CODE,FILE_KIND,BIDDER_ORG_CODE,BIDDER_NAME,FILE_NAME,FILE_HASH,DATA_TIMESTAMP,TITLE/DATA_TYPE"


def document(*paragraphs, author="", picture=None):
    made = docx.Document()
    made.core_properties.author = author
    for text in paragraphs:
        made.add_paragraph(text)
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


BID = document("第一章 投标函", f"联系人张三，电话{PHONE}。", author="李四")
TENDER = document("投标人应当具备相应资质。", author="Administrator")


def sha(content):
    return hashlib.sha256(content).hexdigest()


def md5(content):
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def delivered(county):
    """Lot L1 was opened on 1 June, lot L9 is opened on 15 July; documents and index rows as a test says."""
    national = (mapping.BUILT_IN / "national.toml").read_text(encoding="utf-8")
    documents = (mapping.BUILT_IN / "bid_files.toml").read_text(encoding="utf-8")

    def deliver(*rows, files=(), at="20260603090000", change="1"):
        county.mapping = national
        if not county.files:
            county.read(
                "BID_SECTION_CODE,BID_OPEN_TIME,DATA_TIMESTAMP\n"
                "L1,20260601093000,20260501000000\nL9,20260715093000,20260501000000\n",
                "TENDER_FILE_CLARI_MODI_1.csv",
            )
        read = []
        if rows:
            text = "\n".join([INDEX, *(f"{row},{at},{change}" for row in rows)]) + "\n"
            read.append(county.read(text, f"BID_FILE_{len(county.files)}.csv"))
        county.mapping = documents
        read += [county.read(content, name) for name, content in files]
        return read

    return deliver


def test_every_paragraph_leads_to_its_lot_and_bidder(delivered, county):
    delivered(f"L1,1,{FIRM},甲公司,投标文件.docx,{sha(BID)}", files=[("a.docx", BID)])
    assert county.night(NIGHT).rows(
        "SELECT f.lot_id, f.bidder_id, f.kind, f.file_name, p.part_no, p.place, p.text LIKE '第一章%'"
        " FROM core.bid_files AS f JOIN core.file_parts AS p ON p.file_sha = f.file_sha ORDER BY p.part_no"
    ) == [
        ("L1", FIRM, "bid", "投标文件.docx", 1, "paragraph 1 第1段", True),
        ("L1", FIRM, "bid", "投标文件.docx", 2, "paragraph 2 第2段", False),
    ]


def test_numbers_of_persons_are_tokens_and_can_be_compared_with_those_of_the_bids(
    delivered, county, tmp_path
):
    _, one = delivered(f"L1,1,{FIRM},甲公司,a,{sha(BID)}", files=[("a.docx", BID)])
    county.mapping = (mapping.BUILT_IN / "national.toml").read_text(encoding="utf-8")
    county.read(
        "BID_SECTION_CODE,BIDDER_NAME,BIDDER_ORG_CODE,BIDDER_OPERATION_PERSON_CON,DATA_TIMESTAMP\n"
        f"L1,甲公司,{FIRM},139-1234-5678,20260603090000\n",
        "TENDER_LIST_1.csv",
    )
    made = county.night(NIGHT)
    (token,) = made.values("SELECT operator_phone FROM core.bids")
    assert made.values("SELECT text FROM core.file_parts WHERE part_no = 2") == [f"联系人张三，电话{token}。"]
    ((author,),) = made.rows("SELECT value FROM core.file_properties WHERE property = 'author'")
    assert author.startswith("h1:")
    vault.store(tmp_path / "vault.sqlite", [one.folder / "sealed.parquet"])
    assert vault.reveal(tmp_path / "vault.sqlite", county.key, token) == PHONE
    assert vault.reveal(tmp_path / "vault.sqlite", county.key, author) == "李四"


def test_what_a_program_fills_in_by_itself_is_nobodys_name(delivered, county):
    delivered(f"L1,2,,,招标文件,{sha(TENDER)}", files=[("t.docx", TENDER)])
    made = county.night(NIGHT)
    assert made.values("SELECT count(*) FROM core.file_properties WHERE property = 'author'") == [0]
    assert made.rows("SELECT lot_id, bidder_id, kind FROM core.bid_files") == [("L1", None, "tender")]


@pytest.mark.parametrize(
    "hash",
    [md5(BID), md5(BID).upper(), sha(BID).upper()],
    ids=["MD5", "MD5 in capitals", "SHA-256 in capitals"],
)
def test_the_index_may_know_the_file_by_either_hash_in_either_case(delivered, county, hash):
    delivered(f"L1,1,{FIRM},甲公司,a,{hash}", files=[("a.docx", BID)])
    made = county.night(NIGHT)
    assert made.rows("SELECT file_hash, file_sha FROM core.bid_files") == [(hash.lower(), sha(BID))]
    assert made.values("SELECT count(*) FROM core.file_parts") == [2]


def test_the_same_bytes_from_two_bidders_are_one_file_and_two_rows(delivered, county):
    rows = [f"L1,1,{FIRM},甲公司,a,{sha(BID)}", f"L1,1,{OTHER},乙公司,b,{md5(BID)}"]
    delivered(*rows, files=[("a.docx", BID), ("b.docx", BID)])
    made = county.night(NIGHT)
    assert made.rows("SELECT bidder_id, file_sha FROM core.bid_files ORDER BY bidder_id") == [
        (FIRM, sha(BID)),
        (OTHER, sha(BID)),
    ]
    assert made.values("SELECT count(*) FROM core.file_parts") == [2]


def test_two_hashes_of_one_file_are_one_row(delivered, county):
    rows = [f"L1,1,{FIRM},甲公司,a,{hash}" for hash in (sha(BID), md5(BID))]
    delivered(*rows, files=[("a.docx", BID)])
    assert county.night(NIGHT).values("SELECT file_hash FROM core.bid_files") == [sha(BID)]


def test_a_document_that_came_plain_and_packed_is_one_document(delivered, county):
    import gzip

    packed = gzip.compress(BID, mtime=0)
    _, plain, again = delivered(
        f"L1,1,{FIRM},甲公司,a,{sha(BID)}", files=[("a.docx", BID), ("a.docx.gz", packed)]
    )
    made = county.night(NIGHT)
    assert made.values("SELECT count(*) FROM core.file_parts") == [2]
    assert made.account(again)["duplicate"] == again.report.records == plain.report.records


def test_a_file_that_has_not_come_is_seen_and_found_when_it_comes(delivered, county):
    delivered(f"L1,1,{FIRM},甲公司,a,{sha(BID)}")
    assert county.night(NIGHT).rows("SELECT bidder_id, file_sha FROM core.bid_files") == [(FIRM, None)]
    delivered(files=[("a.docx", BID)])
    assert county.night(NIGHT).values("SELECT file_sha FROM core.bid_files") == [sha(BID)]


def test_a_document_without_an_owner_is_held_and_accounted_for(delivered, county):
    (one,) = delivered(files=[("a.docx", BID)])
    made = county.night(NIGHT)
    assert made.values("SELECT count(*) FROM stage.file_parts") == [0]
    records = one.report.records
    assert made.account(one) == {"loaded": records, "duplicate": 0, "conflict": 0, "held": records}


def test_nothing_of_a_bid_is_in_the_database_before_its_lot_is_opened(delivered, county):
    other = document("未开标的方案", author="王五")
    delivered(
        f"L9,1,{FIRM},甲公司,a,{sha(other)}",
        f"L1,1,{FIRM},甲公司,b,{sha(BID)}",
        files=[("o.docx", other), ("a.docx", BID)],
    )
    made = county.night(NIGHT)
    assert made.values("SELECT DISTINCT file_sha FROM stage.file_parts") == [sha(BID)]
    assert made.values("SELECT lot_id FROM stage.bid_files") == ["L1"]
    later = county.night("2026-07-16 16:00:00")
    assert later.values("SELECT count(DISTINCT file_sha) FROM core.file_parts") == [2]


def test_a_template_belongs_to_no_lot_and_is_shown(delivered, county):
    delivered(f",3,,,范本.docx,{sha(TENDER)}", files=[("t.docx", TENDER)])
    made = county.night(NIGHT)
    assert made.rows("SELECT lot_id, bidder_id, kind, file_sha FROM core.bid_files") == [
        (None, None, "template", sha(TENDER))
    ]
    assert made.values("SELECT text FROM core.file_parts") == ["投标人应当具备相应资质。"]


def test_a_deleted_index_row_hides_the_document_again(delivered, county):
    row = f"L1,1,{FIRM},甲公司,a,{sha(BID)}"
    delivered(row, files=[("a.docx", BID)])
    delivered(row, at="20260604090000", change="3")
    made = county.night(NIGHT)
    assert made.values("SELECT count(*) FROM core.bid_files") == [0]
    assert made.values("SELECT count(*) FROM core.file_parts") == [0]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (f"L1,1,{FIRM},甲公司,a,1234", "HASH_FORM"),
        (f"L1,1,,,a,{'a' * 64}", "BID_FILE_WITHOUT_BIDDER"),
        (f",1,{FIRM},甲公司,a,{'a' * 64}", "BID_FILE_WITHOUT_LOT"),
        (f",2,,,a,{'a' * 64}", "BID_FILE_WITHOUT_LOT"),
        (f"L1,7,{FIRM},甲公司,a,{'a' * 64}", "UNREADABLE_VALUE"),
        (f"L1,1,{FIRM},甲公司,a,", "MISSING_VALUE"),
    ],
)
def test_an_index_row_that_leads_nowhere_is_refused(delivered, row, code):
    (one,) = delivered(row)
    assert code in [refused["code"] for refused in one.refused]


# ---- a whole night


@pytest.fixture
def home(tmp_path, monkeypatch):
    key = tmp_path / "key"
    key.write_text("42" * 32)
    key.chmod(0o400)
    monkeypatch.setenv("BIDWATCH_KEY", str(key))
    return settings.Home(tmp_path / "home").prepare()


def run(home, as_of):
    return sample_night.run(home, as_of, detectors=("documents.copied_text",))


def put(home, source, name, content):
    folder = home.inbox / source
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


def test_a_night_takes_documents_in_accounts_for_each_and_says_what_is_missing(home):
    broken, missing = b"%PDF-1.7 cut in transfer", "f" * 64
    other = document("第一章 投标函", "乙公司的方案。")
    rows = [
        f"L1,1,{FIRM},甲公司,甲.docx,{sha(BID)}",
        f"L1,1,{OTHER},乙公司,乙.docx,{md5(other)}",
        f"L1,1,{OTHER},乙公司,丙.pdf,{sha(broken)}",
        f"L1,2,,,招标文件.docx,{missing}",
    ]
    index = "\n".join([INDEX, *(f"{row},20260603090000,1" for row in rows)]) + "\n"
    openings = "BID_SECTION_CODE,BID_OPEN_TIME,DATA_TIMESTAMP\nL1,20260601093000,20260501000000\n"
    put(home, "national", "TENDER_FILE_CLARI_MODI_1.csv", openings.encode())
    put(home, "national", "BID_FILE_1.csv", index.encode())
    for name, content in (("1.docx", BID), ("2.docx", other), ("3.pdf", broken), ("4.docx", BID)):
        put(home, "bid_files", name, content)
    done = run(home, date(2026, 6, 30))
    assert done.state == "published"
    accounts = {row["name"]: row for row in done.files}
    # The same bytes a second time are one more arrival and no other file; the broken one has no rows.
    assert set(accounts) == {"TENDER_FILE_CLARI_MODI_1.csv", "BID_FILE_1.csv", "1.docx", "2.docx"}
    assert all(
        row["records"] == row["loaded"] + row["duplicate"] + row["refused"] for row in accounts.values()
    )
    assert not any(row["held"] for row in accounts.values())
    with opened(home.control) as store:
        (refused,) = store.rows("SELECT * FROM file WHERE state = 'refused'")
        assert (refused["name"], refused["code"]) == ("3.pdf", "DAMAGED_PDF")
        assert "PDF" in refused["reason_zh"]
    gates = {gate.name: gate for gate in done.gates}
    assert gates["bid_files_have_come"].violations == 2, "the broken file and the one that never came"
    assert not gates["bid_files_have_come"].blocks
    con = duckdb.connect(str(home.snapshot(done.snapshot)), read_only=True)
    found = con.execute(
        "SELECT b.bidder_id, b.file_sha IS NOT NULL, count(p.part_no) FROM core.bid_files AS b"
        " LEFT JOIN core.file_parts AS p ON p.file_sha = b.file_sha GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    con.close()
    assert found == [(FIRM, True, 2), (OTHER, False, 0), (OTHER, True, 2), (None, False, 0)]


def test_a_paragraph_is_shown_as_delivered_without_numbers_of_persons(home):
    put(home, "bid_files", "1.docx", BID)
    with opened(home.control) as store:
        arrivals = receiving.survey(home.inbox)[0]
        receiving.receive(home, store, arrivals, at="2026-06-29T18:00:00+00:00", actor="tester", move=True)
        (file,) = store.rows("SELECT * FROM file")
    (paragraph, author) = lineage.records(home, file, [("parts", 2), ("properties", 1)])
    assert paragraph["text"] == "联系人张三，电话***。"
    assert paragraph["place"] == "paragraph 2 第2段"
    assert (author["property"], author["author"]) == ("author", "***")
