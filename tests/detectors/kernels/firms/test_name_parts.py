import pandas as pd
import pytest

from detectors.kernels.firms.name_parts import taken_apart
from detectors.kernels.firms.traditional import SIMPLIFIED, TRADITIONAL

PLACES = ["河南省", "焦作市", "郑州市", "北京市", "和平区"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("河南省焦作市样例宏达建设工程有限公司", ["河南 焦作", "样例宏达建设工程", "", "有限", ""]),
        ("樣例恒通科技（北京）股份有限公司", ["北京", "样例恒通科技", "", "股份", ""]),
        ("样例第一建筑有限责任公司郑州分公司", ["", "样例第一建筑", "一", "有限", "郑州分公司"]),
        ("样例（集团）有限公司", ["", "样例集团", "", "有限", ""]),
    ],
)
def test_a_name_is_taken_apart(name, parts):
    assert taken_apart(pd.Series([name]), PLACES).iloc[0].tolist() == parts


def test_a_place_is_never_the_whole_name():
    assert taken_apart(pd.Series(["郑州", "和平市政有限公司"]), PLACES)["core"].tolist() == ["郑州", "市政"]


def test_traditional_and_simplified_characters_stand_in_pairs():
    assert len(TRADITIONAL) == len(SIMPLIFIED)
    assert len(set(TRADITIONAL)) == len(TRADITIONAL)
    assert not set(TRADITIONAL) & set(SIMPLIFIED)
