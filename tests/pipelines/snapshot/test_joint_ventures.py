"""A joint venture written in one cell is its members."""

import pytest

HEAD = "lot,name\n"
LOT = "lot,opening,at\nL1,20260301093000,20260301000000\n"


def members(county, name):
    county.mapping = county.mapping.replace(
        'table = "bids"\nversion.updated_at = { from = ["at"] }\nversion.deleted = { from = ["change"], values = ["3"] }',
        'table = "bids"',
    )
    county.read(LOT, "lots_1.csv")
    county.read(f'{HEAD}L1,"{name}"\n')
    night = county.night()
    assert night.values("SELECT count(*) FROM core.bids") == [1]
    return night.values("SELECT party_id FROM core.bid_members WHERE is_joint_venture_member ORDER BY 1")


@pytest.mark.parametrize(
    "name",
    [
        "甲建设有限公司、乙设计院联合体",
        "甲建设有限公司（牵头人）、乙设计院（成员）",
        "牵头人：甲建设有限公司\n成员：乙设计院",
        "甲建设有限公司/乙设计院",
        "（主体方）甲建设有限公司；（成员方）乙设计院",
        "甲建设有限公司与乙设计院联合体",
        "联合体：甲建设有限公司，乙设计院",
        "甲建设有限公司(联合体牵头人),乙设计院(联合体成员1)",
    ],
)
def test_members_are_found_however_they_are_written(county, unchecked, name):
    assert members(county, name) == ["name:乙设计院", "name:甲建设有限公司"]


@pytest.mark.parametrize(
    "name",
    [
        "某省水利、水电勘测设计院",
        "甲建设有限公司",
        "甲与乙建设有限公司",
        "甲/乙",
        "A&B建设有限公司",
        "甲公司、甲公司",
    ],
)
def test_a_firm_with_a_mark_in_its_own_name_is_one_firm(county, unchecked, name):
    assert members(county, name) == []
