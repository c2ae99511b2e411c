import pytest

from pipelines.readers import FileRule, record_text

CONTENT = "标段,名称\nL1,甲\nL2\nL3,\n".encode()


@pytest.fixture
def text_of(tmp_path):
    (tmp_path / "hash").write_bytes(CONTENT)

    def text(raw_row, section="bids"):
        rule = FileRule(("*",), "delimited", section="bids")
        return record_text(tmp_path / "hash", rule, "bids.csv", tmp_path, section, raw_row)

    return text


def test_a_record_is_shown_as_the_file_has_it(text_of):
    assert text_of(2) == {"标段": "L1", "名称": "甲"}
    assert text_of(4) == {"标段": "L3", "名称": ""}


def test_an_unreadable_record_is_shown_as_its_text(text_of):
    assert text_of(3) == {"raw_text": "L2"}


def test_a_record_that_is_not_there_is_an_error_that_names_the_file(text_of):
    with pytest.raises(LookupError, match=r"bids\.csv: section bids has no record 9"):
        text_of(9)
    with pytest.raises(LookupError, match="section lots"):
        text_of(2, section="lots")
