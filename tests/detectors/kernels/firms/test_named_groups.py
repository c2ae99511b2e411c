import pytest

from detectors.kernels.firms.named_groups import named_groups


def groups(market, max_holders=20, max_members=20):
    frame = named_groups(market.engine, max_holders, 0.5, max_members)
    return [set(members) for _, members in frame.groupby("group")["party_id"]]


def bidders(market, *names, lot="L1"):
    return market.bids("lot bidder price\n" + "\n".join(f"{lot} {name} 100" for name in names))


def test_nobody_is_tied_in_an_empty_market(market):
    assert groups(market) == []


@pytest.mark.parametrize(
    ("table", "header", "values"),
    [
        ("fingerprints", "purpose mac cpu_id disk_serial", "edit 001B21AABBCC CPU DISK"),
        ("fingerprints", "purpose dongle", "pricing D1"),
        ("people", "role person_id", "agent h1:p"),
        ("deposits", "account", "h1:c"),
    ],
)
def test_what_two_bidders_of_a_lot_share_ties_them(market, table, header, values):
    bidders(market, "A", "B", "C")
    getattr(market, table)(f"lot bidder {header}\nL1 A {values}\nL1 B {values}")
    assert groups(market) == [{"A", "B"}]


def test_firms_tied_through_others_are_one_group(market):
    bidders(market, "A", "B", "C", "D")
    market.deposits("lot bidder account\nL1 A h1:c\nL1 B h1:c")
    market.fingerprints("lot bidder purpose dongle\nL1 B pricing D1\nL1 C pricing D1")
    assert groups(market) == [{"A", "B", "C"}]


def test_an_owner_that_bids_is_of_the_group_and_one_that_does_not_is_not(market):
    bidders(market, "A", "B", "C", "OWNER")
    market.relations("party holder_id holder_share kind\nA OWNER 0.6 shareholding\nB OWNER 0.7 shareholding")
    market.relations("party holder_id holder_share kind\nC AWAY 0.9 control")
    assert groups(market) == [{"A", "B", "OWNER"}]


def test_a_minority_holding_ties_nobody(market):
    bidders(market, "A", "B")
    market.relations("party holder_id holder_share kind\nA H 0.3 shareholding\nB H 0.49 shareholding")
    assert groups(market) == []


def test_the_same_code_in_two_lots_ties_nobody(market):
    bidders(market, "A")
    bidders(market, "B", lot="L2")
    market.fingerprints("lot bidder purpose dongle\nL1 A pricing D1\nL2 B pricing D1")
    assert groups(market) == []


def test_the_buyers_own_codes_uploads_on_site_and_guarantors_tie_nobody(market):
    bidders(market, "A", "B")
    market.fingerprints(
        "lot bidder owner purpose dongle\nL1 - buyer edit D1\nL1 A bidder pricing D1\nL1 B bidder pricing D1"
    )
    market.fingerprints(
        "lot bidder purpose mac cpu_id disk_serial is_on_site\n"
        "L1 A upload 001B21AABBCC C D true\nL1 B upload 001B21AABBCC C D true"
    )
    market.deposits("lot bidder account is_guarantee\nL1 A h1:c true\nL1 B h1:c true")
    assert groups(market) == []


def test_values_of_many_and_groups_that_are_too_large_are_left_out(market):
    names = [f"F{number}" for number in range(6)]
    bidders(market, *names)
    market.deposits("lot bidder account\n" + "\n".join(f"L1 {name} h1:c" for name in names))
    assert groups(market) == [set(names)]
    assert groups(market, max_holders=5) == []
    assert groups(market, max_members=5) == []
