# The invented documents are the same on every machine. What a ring leaves is in the documents and in the truth.

import hashlib
import io
import zipfile
from datetime import date
from itertools import pairwise

import docx
import pytest

from pipelines.simulator import paper_forms, papers, phrases
from pipelines.simulator.streams import Streams

UNTIL = date(2026, 6, 10)


@pytest.fixture
def rigged(world):
    """Every second lot is rigged by three of its four bidders, who left another trace too."""
    world.execute(
        """
        UPDATE world.bids SET ring = lot // 2, role = 'cover'
        WHERE lot % 2 = 0 AND firm % 10 - (SELECT min(b.firm % 10) FROM world.bids AS b WHERE b.lot = bids.lot) < 3;
        INSERT INTO world.links
        SELECT DISTINCT lot, 'same_ip', ring, [firm], FALSE, '' FROM world.bids WHERE ring >= 0;
        """
    )
    return world


@pytest.fixture
def made(rigged, tmp_path):
    count = papers.write_papers(rigged, tmp_path / "out", lots=30, seed=1, until=UNTIL)
    files = {path.name: path.read_bytes() for path in (tmp_path / "out" / "inbox" / "bid_files").iterdir()}
    assert count == len(files) == 1 + 30 * 5
    return files


def text_of(content):
    if not content.startswith(b"PK"):
        try:
            return content.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            return content.decode("gb18030").split("\n")
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(content)).paragraphs if paragraph.text]


def leaks(world, what):
    """(lot_id, names of the firms, their files' names without the ending) of every link of a kind."""
    rows = world.execute(
        "SELECT n.lot, l.lot_id, n.firms FROM world.links AS n JOIN world.lots AS l ON l.lot = n.lot"
        " WHERE n.what = $what ORDER BY n.lot",
        {"what": what},
    ).fetchall()
    firms = dict(world.execute("SELECT firm, {'name': name, 'code': code} FROM world.firms").fetchall())
    assert rows, "the fixture leaves every kind somewhere"
    return [
        ([firms[firm]["name"] for firm in found], [f"{lot_id}_{firms[firm]['code']}" for firm in found])
        for _, lot_id, found in rows
    ]


def opened(made, stem):
    (name,) = [name for name in made if name.startswith(stem)]
    return made[name]


def long_paragraphs(made, stem):
    return {text for text in text_of(opened(made, stem)) if len(text) > 60}


def test_the_same_county_gives_the_same_bytes(rigged, tmp_path, made):
    rigged.execute("DELETE FROM world.papers; DELETE FROM world.links WHERE what <> 'same_ip'")
    papers.write_papers(rigged, tmp_path / "again", lots=30, seed=1, until=UNTIL)
    again = {path.name: path.read_bytes() for path in (tmp_path / "again" / "inbox" / "bid_files").iterdir()}
    assert again == made


def test_a_docx_opens_in_another_program_and_says_who_wrote_it(made):
    name = next(name for name in sorted(made) if name.endswith(".docx") and "_9141" in name)
    opened_by_another = docx.Document(io.BytesIO(made[name]))
    assert opened_by_another.core_properties.author.startswith("样例")
    assert len(opened_by_another.inline_shapes) >= 1
    with zipfile.ZipFile(io.BytesIO(made[name])) as archive:
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}


def test_the_index_knows_every_document_by_its_hash(rigged, made):
    known = dict(rigged.execute("SELECT name, hash FROM world.papers").fetchall())
    assert set(known) == set(made)
    for name, content in made.items():
        of = hashlib.md5 if len(known[name]) == 32 else hashlib.sha256
        assert of(content).hexdigest() == known[name]
    assert {len(hash) for hash in known.values()} == {32, 64}


@pytest.mark.parametrize("what", ["copied_text", "consultant_template"])
def test_a_shared_chapter_is_in_every_file_that_the_truth_names(rigged, made, what):
    for _, stems in leaks(rigged, what):
        common = set.intersection(*(long_paragraphs(made, stem) for stem in stems))
        tender = long_paragraphs(made, stems[0].split("_")[0] + "_招标文件")
        assert len(common - tender) >= papers.SHARED_PARAGRAPHS


def test_honest_bidders_of_a_lot_share_the_form_and_passages_of_the_tender_and_no_more(rigged, made):
    shared = {stem for _, stems in leaks(rigged, "consultant_template") for stem in stems}
    lots = rigged.execute(
        "SELECT l.lot_id, list(f.code ORDER BY f.firm) FROM world.bids AS b JOIN world.lots AS l ON l.lot = b.lot"
        " JOIN world.firms AS f ON f.firm = b.firm JOIN world.papers AS p ON p.lot = b.lot AND p.firm = b.firm"
        " GROUP BY ALL HAVING max(b.ring) < 0 ORDER BY ALL"
    ).fetchall()
    assert lots
    for lot_id, codes in lots:
        stems = [f"{lot_id}_{code}" for code in codes if f"{lot_id}_{code}" not in shared]
        tender = long_paragraphs(made, f"{lot_id}_招标文件")
        form = {text for text in phrases.forms() if "________" not in text}
        for one, other in pairwise(stems):
            assert (
                not (long_paragraphs(made, one) & long_paragraphs(made, other))
                - tender
                - form
                - {text for text in long_paragraphs(made, one) if "招标文件的全部内容" in text}
            )


def test_the_other_bidders_name_stands_in_the_bid(rigged, made):
    for (_, other), (stem, _) in leaks(rigged, "other_name"):
        assert any(other in text for text in text_of(opened(made, stem)))


def test_a_page_of_one_member_lies_in_the_bid_of_another(rigged, made):
    for (owner, _), (_, stem) in leaks(rigged, "mixed_page"):
        assert f"投标人：{owner}" in text_of(opened(made, stem))


def test_one_author_and_one_picture_stand_in_the_files_that_the_truth_names(rigged, made):
    for _, stems in leaks(rigged, "document_author"):
        authors = {docx.Document(io.BytesIO(opened(made, stem))).core_properties.author for stem in stems}
        assert len(authors) == 1
    for _, stems in leaks(rigged, "shared_image"):
        pictures = []
        for stem in stems:
            with zipfile.ZipFile(io.BytesIO(opened(made, stem))) as archive:
                pictures.append({archive.read(name) for name in archive.namelist() if name.endswith(".png")})
        assert len(set.intersection(*pictures)) == 1


def test_mistakes_are_those_that_people_make():
    text = "以上按已定的账目在本部位做合格"
    wrong = phrases.mistyped(Streams(1).of("x"), text, 1.0)
    assert len(wrong) == len(text)
    assert "安己订" in wrong
    assert phrases.mistyped(Streams(1).of("x"), text, 0.0) == text


def test_pictures_differ_by_their_number():
    assert paper_forms.png(1) == paper_forms.png(1) != paper_forms.png(2)
