import pytest

from pipelines.intake.readers import FileRule, record_texts

CONTENT = "标段,名称\nL1,甲\nL2\nL3,\n".encode()


@pytest.fixture
def texts_of(tmp_path):
    (tmp_path / "hash").write_bytes(CONTENT)

    def texts(*raw_rows, section="bids"):
        rule = FileRule(("*",), "delimited", section="bids")
        wanted = [(section, raw_row) for raw_row in raw_rows]
        return record_texts(tmp_path / "hash", rule, "bids.csv", tmp_path, wanted)

    return texts


def test_records_are_shown_as_the_file_has_them_in_the_order_asked(texts_of):
    assert texts_of(4, 2) == [{"标段": "L3", "名称": ""}, {"标段": "L1", "名称": "甲"}]


def test_an_unreadable_record_is_shown_as_its_text(texts_of):
    assert texts_of(3) == [{"raw_text": "L2"}]


def test_a_record_that_is_not_there_is_an_error_that_names_the_file(texts_of):
    with pytest.raises(LookupError, match=r"bids\.csv: section bids has no record 9"):
        texts_of(2, 9)
    with pytest.raises(LookupError, match="section lots"):
        texts_of(2, section="lots")
