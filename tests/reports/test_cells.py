import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cells import cell, terminal

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates and noncharacters too


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /C calc'!A0",
        "+86 391 0000000",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "\r普通",
        "\n普通",
        "  =1+1",
        "\u3000=1+1",
        "\u200b=1+1",
        "\ufeff=1+1",
        "\x00=1+1",
        "\u202e=1+1",
        "＝1+1",
        "＋1",
        "－1",
        "＠甲",
        "﹦1+1",
    ],
)
def test_a_text_that_a_spreadsheet_could_run_gets_a_quote_in_front(text):
    assert cell(text).startswith("'")


@pytest.mark.parametrize(
    "text", ["", "甲建设有限公司", "91410821MA00000001", "A=B", "1-2", "'已有引号", "𠮷䶮𬭎"]
)
def test_an_ordinary_text_stays_as_it_is(text):
    assert cell(text) == text


@given(ANY_TEXT)
def test_no_cell_starts_a_formula_or_hides_a_character(text):
    made = cell(text)
    made.encode("utf-8")
    assert {unicodedata.category(character) for character in made}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert unicodedata.normalize("NFKC", made.strip())[:1] not in {"=", "+", "-", "@"}


@given(ANY_TEXT)
def test_making_a_cell_twice_changes_nothing_more(text):
    assert cell(cell(text)) == cell(text)


def test_a_terminal_shows_escapes_and_direction_marks_instead_of_obeying_them():
    assert terminal("甲\x1b[2J乙\u202e丙\x9b\r\n") == r"甲\x1b[2J乙\u202e丙\x9b\r\n"
