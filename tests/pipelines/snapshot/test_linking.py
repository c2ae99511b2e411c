import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.snapshot import linking
from pipelines.snapshot.linking import merged, standing

pytestmark = pytest.mark.usefixtures("unchecked")

A, B, OLD = "91410821MA40000018", "91410821MA40000026", "410821000000001"
BIDS = "lot,code,name,price,submitted,at\n"


def with_check_digit(code):
    """The same credit code with the check digit of GB 32100-2015."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(letter) * 3**place for place, letter in enumerate(code[:17]))
    return code[:17] + alphabet[-total % 31]


VALID = with_check_digit(A)


@pytest.fixture
def opened(county):
    """Lots L1 and L2 were opened on 1 June 2026."""
    rows = "".join(f"L{i},1000000,2026-06-01 09:30,20260501000000\n" for i in (1, 2))
    county.read("lot,ceiling,opening,at\n" + rows, "lots_1.csv")
    return county


# --- what a judgement does to the tables ----------------------------------------------------------


def test_two_codes_judged_one_firm_are_one_party_with_both_names(opened):
    opened.read(
        BIDS + f"L1,{A},样例泰和有限公司,100,,20260301120000\nL2,{OLD},样例泰和公司,100,,20260301120000\n"
    )
    assert opened.night().values("SELECT DISTINCT bidder_id FROM core.bids ORDER BY 1") == [OLD, A]
    night = opened.night(judgements=[(OLD, A, "same")])
    assert night.values("SELECT DISTINCT bidder_id FROM core.bids") == [A]
    assert night.values("SELECT name FROM core.party_names ORDER BY name") == [
        "样例泰和公司",
        "样例泰和有限公司",
    ]
    assert night.values("SELECT party_id FROM core.parties") == [A]


def test_an_undone_judgement_leaves_the_tables_as_they_were(opened):
    opened.read(
        BIDS + f"L1,{A},样例泰和有限公司,100,,20260301120000\nL2,{OLD},样例泰和公司,100,,20260301120000\n"
    )
    before = opened.night().content()
    assert opened.night(judgements=[(A, OLD, "same"), (OLD, A, "undone")]).content() == before
    assert opened.night(judgements=[(A, OLD, "same")]).content() != before


def test_a_name_is_not_linked_to_the_code_from_which_a_person_parted_it(opened):
    opened.read(
        BIDS + f"L1,{A},样例泰和有限公司,100,,20260301120000\nL2,,样例泰和有限公司,100,,20260301120000\n"
    )
    assert opened.night().values("SELECT DISTINCT bidder_id FROM core.bids") == [A]
    (named,) = opened.night().values("SELECT party FROM stage.party_links WHERE party LIKE 'name:%'")
    night = opened.night(judgements=[(named, A, "different")])
    assert night.values("SELECT bidder_id FROM core.bids ORDER BY lot_id") == [A, named]


def bidders(opened, *firms, judgements=()):
    """The ids of all bidders, those of L1 delivered with these codes and names."""
    opened.read(BIDS + "".join(f"L1,{code},{name},100,,20260301120000\n" for code, name in firms))
    return opened.night(judgements=judgements).values(
        "SELECT DISTINCT bidder_id FROM core.bids ORDER BY bidder_id"
    )


def test_an_organisation_code_becomes_the_credit_code_that_holds_it(opened):
    opened.read(BIDS + f"L2,{VALID},样例泰和有限公司,100,,20260301120000\n", "bids_2.csv")
    assert bidders(opened, ("MA400000-1", "某厂")) == [VALID]


def test_an_organisation_code_stays_where_the_credit_code_has_a_wrong_check_digit(opened):
    assert bidders(opened, (A[:-1] + "A", "样例泰和有限公司"), ("MA4000001", "某厂")) == [
        A[:-1] + "A",
        "MA4000001",
    ]


def test_an_organisation_code_that_two_credit_codes_hold_stays(opened):
    other = with_check_digit("92" + A[2:])
    firms = (VALID, "样例泰和有限公司"), (other, "样例兴业有限公司"), ("MA4000001", "某厂")
    assert bidders(opened, *firms) == [VALID, other, "MA4000001"]


def test_a_person_can_part_an_organisation_code_from_the_credit_code_that_holds_it(opened):
    firms = (VALID, "样例泰和有限公司"), ("MA4000001", "某厂")
    parted = [("MA4000001", VALID, "different")]
    assert bidders(opened, *firms, judgements=parted) == [VALID, "MA4000001"]


def test_a_name_with_a_credit_code_and_the_organisation_code_in_it_has_one_code(opened):
    name = "样例泰和有限公司"
    opened.read(BIDS + f"L2,{VALID},{name},100,,20260301120000\n", "bids_2.csv")
    opened.read(BIDS + f"L2,MA4000001,{name},100,,20260301130000\n", "bids_3.csv")
    assert bidders(opened, ("", name)) == [VALID]


# --- which judgements stand -----------------------------------------------------------------------


def test_all_that_were_judged_the_same_get_the_credit_code():
    judged = standing([("name:X", OLD, "same"), (OLD, A, "same")])
    assert merged(judged) == {"name:X": A, OLD: A, A: A}


def test_the_last_judgement_on_a_pair_counts_whichever_way_round():
    assert standing([(A, B, "same"), (B, A, "different")])[0].verdict == "different"
    assert standing([(A, B, "same"), (B, A, "undone")]) == []


def test_a_pair_cannot_be_different_and_one_at_once():
    with pytest.raises(ValueError, match="judged different, but other judgements make both one party"):
        standing([(A, B, "different"), (A, OLD, "same"), (OLD, B, "same")])


def test_a_party_is_one_with_itself_already():
    with pytest.raises(ValueError, match="one party already"):
        standing([(A, A, "same")])


def test_an_unknown_verdict_is_refused():
    with pytest.raises(ValueError, match="'maybe' is none of same, different, undone"):
        standing([(A, B, "maybe")])


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=12).map(set))
def test_same_is_an_equivalence_and_every_class_has_one_id(pairs):
    judged = standing([(one, other, "same") for one, other in sorted(pairs) if one != other])
    whole = merged(judged)
    for pair in judged:
        assert whole[pair.left] == whole[pair.right]
    assert all(whole[id] == id for id in whole.values())


def test_without_judgements_nothing_is_merged():
    assert merged(linking.standing([])) == {}
