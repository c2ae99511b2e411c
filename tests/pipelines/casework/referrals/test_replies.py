import io
from datetime import date

import docx
import pytest

from pipelines.casework.cases import cases
from pipelines.casework.referrals import referrals, replies
from reports.letters import LetterHead


def head(number="修发改函〔2026〕20号"):
    return LetterHead(office="示例县发展和改革委员会", number=number, on=date(2026, 7, 1), contact="")


def said(letter):
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(letter)).paragraphs]


@pytest.fixture
def brought(store, by):
    return cases.bring(store, by(reason="公安机关移交"), "某小学项目", "公安局〔2026〕3号")


def test_a_dismissed_matter_of_the_police_is_answered_in_writing(store, by, brought):
    cases.move(store, by(), brought, "take", {})
    cases.move(store, by(reason="王五说明了原因"), brought, "dismiss", {"code": "below_materiality"})
    letter = replies.write(store, by(), brought, head())
    assert "经初核，情节或金额轻微，予以排除。" in said(letter)
    assert any("公安局〔2026〕3号" in line for line in said(letter))
    assert "王五" not in "".join(said(letter))
    assert [row["document_no"] for row in store.rows("SELECT * FROM police_reply")] == [
        "修发改函〔2026〕20号"
    ]


def test_the_reply_tells_what_the_own_office_decided(store, by, brought):
    cases.move(store, by(), brought, "take", {})
    cases.move(store, by(reason="已核实"), brought, "confirm", {"second officer": "李四"})
    referrals.answer(store, by(), brought, "file", {"document": "修发改案〔2026〕1号"})
    referrals.answer(store, by(), brought, "feedback", {"outcome": "罚款一万元"})
    assert "罚款一万元。" in said(replies.write(store, by(), brought, head()))


def test_there_is_nothing_to_tell_before_there_is_a_result(store, by, brought):
    with pytest.raises(ValueError, match="no result"):
        replies.write(store, by(), brought, head())


def test_only_what_the_police_brought_is_answered_to_the_police(store, by, case):
    case("C1", state="dismissed")
    with pytest.raises(ValueError, match="did not come from the police"):
        replies.write(store, by(), "C1", head())


def test_the_same_reply_again_is_the_same_letter_and_another_needs_a_number_of_its_own(store, by, brought):
    cases.move(store, by(), brought, "take", {})
    cases.move(store, by(reason="轻微"), brought, "dismiss", {"code": "below_materiality"})
    assert replies.write(store, by(), brought, head()) == replies.write(store, by(), brought, head())
    assert len(store.rows("SELECT * FROM police_reply")) == 1
    other = LetterHead(office="另一机关", number="修发改函〔2026〕20号", on=None, contact="")
    with pytest.raises(ValueError, match="number of its own"):
        replies.write(store, by(), brought, other)
    with pytest.raises(ValueError, match="hexagonal"):
        replies.write(store, by(), brought, head("修发改函[2026]20号"))
