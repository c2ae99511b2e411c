"""Numbers of official documents: what counts as one, and what is said about a text that is none."""

import pytest

from pipelines.casework.document_numbers import DocumentNumber, parse


@pytest.mark.parametrize("text", ["修发改法规〔2021〕127号", "修发改函〔2026〕12号", " 修公〔2026〕1号 "])
def test_a_number_reads_back_as_it_was_written(text):
    assert str(parse(text)) == text.strip()


def test_the_parts_of_a_number():
    assert parse("修发改函〔2026〕12号") == DocumentNumber("修发改函", 2026, 12)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("修发改函[2026]12号", "hexagonal"),
        ("修发改函(2026)12号", "hexagonal"),
        ("修发改函（2026）12号", "hexagonal"),
        ("修发改函【2026】12号", "hexagonal"),
        ("修发改函〔26〕12号", "two digits"),
        ("修发改函〔2026〕第12号", "第"),
        ("修发改函〔2026〕012号", "leading zero"),
        ("修发改函〔2026〕0号", "leading zero"),
        ("修发改函〔2026〕12", "号 at the end"),
        ("修发改函〔二〇二六〕12号", "no year"),
        ("修发改函〔2026〕十二号", "no number"),
        ("〔2026〕12号", "mark of the office"),
        ("修发改函2026年12号", "brackets"),
        ("修发 改函〔2026〕12号", "blanks"),
        ("修发改函〔２０２６〕12号", "no year"),
    ],
)
def test_what_is_wrong_with_a_number_is_named(text, fault):
    with pytest.raises(ValueError, match=fault) as told:
        parse(text)
    assert "修发改函〔2026〕12号" in str(told.value)
