"""What a snapshot makes of OCDS as countries publish it."""

import json

import pytest

from pipelines.intake import mapping

RELEASE = {
    "ocid": "o",
    "id": "1",
    "date": "2026-03-20T00:00:00Z",
    "tag": ["compiled"],
    "buyer": {"id": "B", "name": "Works Office"},
    "tender": {
        "id": "T",
        "title": "Road",
        "status": "complete",
        "procurementMethod": "open",
        "awardCriteria": "priceOnly",
        "value": {"amount": 5000, "currency": "USD"},
        "tenderPeriod": {"startDate": "2026-02-01T00:00:00Z", "endDate": "2026-03-01T09:00:00Z"},
    },
}


def bid(number, tenderers, amount, status="valid", **more):
    """A bid of one firm, named by its id, or of several."""
    named = [
        one if isinstance(one, dict) else {"id": one, "name": f"Firm {one}"}
        for one in (tenderers if isinstance(tenderers, list) else [tenderers])
    ]
    return {
        "id": str(number),
        "date": "2026-02-28T09:00:00Z",
        "status": status,
        "value": {"amount": amount, "currency": "USD"},
        "tenderers": named,
    } | more


def award(number, suppliers, amount=1000, status="active", **more):
    return bid(number, suppliers, amount, status, date="2026-03-10T00:00:00Z", **more) | {
        "suppliers": bid(number, suppliers, amount)["tenderers"],
        "tenderers": None,
    }


def release(*bids, awards=(), ocid="o", status="complete", **more):
    tender = RELEASE["tender"] | {"status": status}
    found = {"ocid": ocid, "tender": tender, "bids": {"details": list(bids)}, "awards": list(awards)}
    return RELEASE | found | more


@pytest.fixture
def checked(county):
    """Read releases as a file, as its table schemas check it."""
    county.mapping = mapping.path_of("ocds").read_text(encoding="utf-8")
    return lambda *releases: county.read(json.dumps(list(releases)), "releases.json")


@pytest.fixture
def published(county, unchecked):
    """Read releases as a file and give the tables of the night."""
    county.mapping = mapping.path_of("ocds").read_text(encoding="utf-8")

    def night(*releases, **how):
        number = len(county.files)
        county.read(json.dumps(list(releases)), f"{number}.json")
        return county.night(**how)

    return night


WINNERS = "SELECT bidder_id FROM core.bids WHERE is_winner ORDER BY lot_id, bidder_id"


# --- statuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["cancelled", "unsuccessful", "Cancelled", "canceled", "withdrawn"])
def test_an_award_that_came_to_nothing_has_no_winner(published, status):
    awards = [award(1, "A", status=status), award(2, "B")]
    night = published(release(bid(1, "A", 900), bid(2, "B", 1000), awards=awards))
    assert night.values(WINNERS) == ["B"]
    assert night.values("SELECT winner_id FROM core.awards") == ["B"]


@pytest.mark.parametrize("status", ["cancelled", "unsuccessful", "withdrawn", "CANCELLED"])
def test_nobody_wins_a_tender_or_lot_that_was_given_up(published, status):
    bids = bid(1, "A", 900), bid(2, "B", 1000)
    of_lot = RELEASE["tender"] | {"lots": [{"id": "L", "status": status}]}
    night = published(
        release(*bids, awards=[award(1, "A")], status=status),
        release(*bids, awards=[award(1, "A")], ocid="p", tender=of_lot),
    )
    assert night.values(WINNERS) == []
    assert night.values("SELECT count(*) FROM core.bids") == [4]


def test_a_tender_that_is_cancelled_later_takes_the_winner_away(published):
    before = release(bid(1, "A", 900), awards=[award(1, "A")])
    assert published(before).values(WINNERS) == ["A"]
    later = {"ocid": "o", "date": "2026-04-01T00:00:00Z", "tender": {"id": "T", "status": "cancelled"}}
    assert published(later).values(WINNERS) == []


@pytest.mark.parametrize(
    ("status", "is_valid"),
    [
        ("valid", True),
        ("pending", True),
        ("disqualified", False),
        ("Disqualified", False),
        ("withdrawn", False),
        ("a word of their own", True),
        (None, True),
    ],
)
def test_the_status_of_a_bid_says_whether_it_is_valid(published, status, is_valid):
    night = published(release(bid(1, "A", 900, status)))
    assert night.values("SELECT is_valid FROM core.bids") == [is_valid]


def test_a_bid_taken_back_does_not_stand_for_the_one_that_stayed(published):
    taken_back = bid(2, "A", 800, "withdrawn", date="2026-02-28T10:00:00Z")
    night = published(release(bid(1, "A", 900), taken_back))
    assert night.rows("SELECT price, is_valid, lances FROM core.bids") == [(900, True, 2)]


def test_a_cancelled_contract_is_no_contract(published):
    contracts = [
        {"id": "c1", "awardID": "1", "status": "cancelled"},
        {"id": "c2", "awardID": "1", "status": "active"},
    ]
    night = published(release(awards=[award(1, "A")], contracts=contracts))
    assert night.values("SELECT contract_no FROM core.contracts") == ["c2"]


def test_only_an_award_that_stands_must_name_its_winner(checked):
    nobody = {"suppliers": None}
    file = checked(release(awards=[award(1, "A", status="unsuccessful") | nobody, award(2, "A") | nobody]))
    assert [(row["raw_path"], row["code"]) for row in file.refused] == [
        ("release 1, awards[1]", "AWARD_WITHOUT_WINNER")
    ]


# --- which bid won --------------------------------------------------------------------------------


@pytest.mark.parametrize("field", [{"relatedBid": "2"}, {"relatedBids": ["2"]}, {}])
def test_of_two_bids_the_one_that_the_award_names_counts(published, field):
    bids = bid(1, "A", 1000), bid(2, "A", 1200), bid(3, "B", 1100)
    for these in (bids, (bids[1], bids[0], bids[2])):
        night = published(release(*these, awards=[award(1, "A", 1200, **field)]))
        assert night.rows("SELECT bidder_id, price, is_winner FROM core.bids ORDER BY 1") == [
            ("A", 1200, True),
            ("B", 1100, False),
        ]


def test_the_bid_that_an_award_names_won_whatever_the_supplier_is_called(published):
    consortium = {"id": "X", "name": "Consortium A-B"}
    night = published(
        release(bid(1, ["A", "B"], 900), bid(2, "C", 950), awards=[award(1, [consortium], relatedBid="1")])
    )
    assert night.values(WINNERS) == ["A"]


def test_several_awards_to_one_firm_in_a_lot_are_one_win_of_their_sum(published):
    night = published(release(bid(1, "A", 900), awards=[award(1, "A", 300), award(2, "A", 600)]))
    assert night.rows("SELECT winner_id, price FROM core.awards") == [("A", 900)]


# --- joint ventures and lots ----------------------------------------------------------------------

MEMBERS = "SELECT bidder_id, party_id FROM core.bid_members WHERE is_joint_venture_member ORDER BY 1, 2"


def test_a_bid_of_several_tenderers_is_one_bid_with_members(published):
    night = published(release(bid(1, ["A", "B"], 1000), bid(2, "C", 1001), awards=[award(1, ["A", "B"])]))
    assert night.values("SELECT bidder_id FROM core.bids ORDER BY 1") == ["A", "C"]
    assert night.rows(MEMBERS) == [("A", "B")]
    assert night.values("SELECT winner_id FROM core.awards ORDER BY 1") == ["A", "B"]


def test_members_may_be_known_by_name_only(published):
    nameless = [{"name": "Lead; Works, Ltd"}, {"name": "Bravo Ltd"}]
    night = published(release(bid(1, nameless, 1000)))
    assert night.rows(MEMBERS) == [("name:LEAD;WORKS,LTD", "name:BRAVOLTD")]


def test_what_people_decide_reaches_members(published):
    releases = (
        release(bid(1, ["A1", "B2"], 900), bid(2, "C", 910), ocid="1"),
        release(bid(1, "B1", 900), bid(2, ["B1", "B2"], 910), ocid="2"),
    )
    assert published(*releases).rows(MEMBERS) == [("A1", "B2"), ("B1", "B2")]
    night = published(*releases, judgements=[("B1", "B2", "same")])
    # Nobody is a partner of itself.
    assert night.rows(MEMBERS) == [("A1", "B1")]


def test_bids_awards_and_contracts_belong_to_their_lots(published):
    tender = RELEASE["tender"] | {"lots": [{"id": "1"}, {"id": "2"}]}
    night = published(
        release(
            bid(1, "A", 1000, relatedLots=["1"]),
            bid(2, "B", 1001, relatedLots=["1"]),
            bid(3, "A", 2000, relatedLots=["2"]),
            bid(4, "C", 2002, relatedLots=["2"]),
            awards=[award(1, "A", relatedLots=["1"]), award(2, "A", 2000, relatedLots=["2"])],
            contracts=[{"id": "c", "awardID": "2"}],
            tender=tender,
        )
    )
    assert night.rows("SELECT lot_id, bidder_id, is_winner FROM core.bids ORDER BY 1, 2") == [
        ("o/1", "A", True),
        ("o/1", "B", False),
        ("o/2", "A", True),
        ("o/2", "C", False),
    ]
    assert night.values("SELECT lot_id FROM core.contracts") == ["o/2"]


def test_a_contract_with_a_joint_venture_is_one_contract(published):
    contract = {"id": "c", "awardID": "1", "value": {"amount": 1000, "currency": "USD"}}
    night = published(release(awards=[award(1, ["A", "B"])], contracts=[contract]))
    assert night.rows("SELECT contract_no, supplier_id, price FROM core.contracts") == [("c", "A", 1000)]


# --- who is who -----------------------------------------------------------------------------------

BIDDERS = "SELECT DISTINCT bidder_id FROM core.bids ORDER BY 1"


def firm(id, name, scheme=None, number=None):
    found = {"id": id, "name": name}
    return found | ({"identifier": {"scheme": scheme, "id": number}} if scheme else {})


NOBODY = [
    "NaN",
    "nan",
    "#N/A",
    "N/A",
    "S/N",
    "s/n",
    "-",
    "--",
    "<NA>",
    "undefined",
    "null",
    "None",
    "0",
    "0000",
    "00-0",
]
NOBODY += ["FFFFFFFF", "PE-RUC-<NA>", "PE-RUC-0", "CN-USCI-null", "", " "]


def test_an_id_that_stands_for_nothing_is_nobody(published):
    bids = [bid(at, firm(id, f"Firm number {at}"), 900 + at) for at, id in enumerate(NOBODY)]
    night = published(release(*bids))
    assert night.values(BIDDERS) == sorted(f"name:FIRMNUMBER{at}" for at in range(len(NOBODY)))


def test_an_id_that_only_looks_empty_is_somebody(published):
    ids = ["10", "A0", "FF1", "NAN1", "PE-RUC-20000000001", "X1"]
    bids = [bid(at, firm(id, f"Firm number {at}"), 900 + at) for at, id in enumerate(ids)]
    assert published(release(*bids)).values(BIDDERS) == ids


def test_upper_and_lower_case_are_two_ids(published):
    night = published(release(bid(1, "ab1", 900), bid(2, "AB1", 900), bid(3, ["C", "ab1"], 950)))
    assert night.values(BIDDERS) == ["AB1", "C", "ab1"]
    assert night.rows(MEMBERS) == [("C", "ab1")]


@pytest.mark.parametrize(
    ("scheme", "one", "other", "party"),
    [
        ("GB-COH", "0123", "0123", "GB-COH-0123"),
        ("CN-USCI", "91340600TEST00001X", "91340600test00001x", "91340600TEST00001X"),
    ],
)
def test_two_ids_with_one_number_in_a_register_are_one_firm(published, scheme, one, other, party):
    parties = [firm("x1", "Firm A", scheme, one), firm("x2", "Firm A", scheme, other)]
    these = release(bid(1, "x1", 900), bid(2, "x2", 950), awards=[award(1, "x2")], parties=parties)
    assert published(these).values(BIDDERS) == [party]
    parted = published(these, judgements=[("x1", "x2", "different")])
    assert parted.values(BIDDERS) == ["x1", "x2"]


@pytest.mark.parametrize("number", ["N/A", "", None, "0"])
def test_no_number_in_a_register_links_nobody(published, number):
    parties = [firm("x1", "Alpha Ltd", "GB-COH", number), firm("x2", "Beta Corp", "GB-COH", number)]
    bids = bid(1, firm("x1", "Alpha Ltd"), 900), bid(2, firm("x2", "Beta Corp"), 950)
    assert published(release(*bids, parties=parties)).values(BIDDERS) == ["x1", "x2"]


def test_ids_that_are_numbered_anew_in_each_release_link_nobody(published):
    night = published(
        release(bid(1, firm("1", "Alpha Ltd"), 900), bid(2, firm("2", "Beta Corp"), 910), ocid="1"),
        release(bid(1, firm("1", "Gamma Works"), 900), bid(2, firm("2", "Alpha Ltd"), 910), ocid="2"),
        release(bid(1, firm("7", "Delta Roads"), 900), bid(2, firm("8", "Epsilon"), 910), ocid="3"),
    )
    assert night.values(BIDDERS) == ["7", "8", "name:ALPHALTD", "name:BETACORP", "name:GAMMAWORKS"]
    assert night.rows("SELECT code, names FROM stage.unrelated_names ORDER BY 1") == [("1", 2), ("2", 2)]


def test_spellings_of_one_name_keep_their_id(published):
    night = published(
        release(bid(1, firm("1", "Alpha Builders Ltd"), 900), ocid="1"),
        release(bid(1, firm("1", "Alpha Builders Limited"), 900), ocid="2"),
    )
    assert night.values(BIDDERS) == ["1"]


# --- from night to night --------------------------------------------------------------------------


def test_what_a_later_file_leaves_out_stays(published):
    tender = RELEASE["tender"] | {
        "lots": [{"id": "L1", "title": "Lot one", "value": {"amount": 50, "currency": "USD"}}, {"id": "L2"}]
    }
    published({"ocid": "o", "date": "2026-01-10T00:00:00Z", "buyer": RELEASE["buyer"], "tender": tender})
    published(
        {
            "ocid": "o",
            "date": "2026-03-02T00:00:00Z",
            "bids": {"details": [bid(1, "A", 48, relatedLots=["L1"])]},
        }
    )
    update = {"id": "T", "status": "complete", "lots": [{"id": "L1", "status": "complete"}]}
    won = award(1, "A", 48, relatedLots=["L1"])
    published({"ocid": "o", "date": "2026-03-08T00:00:00Z", "tender": update, "awards": [won]})
    published({"ocid": "o", "date": "2026-03-09T00:00:00Z", "tender": {"id": "T", "status": "complete"}})
    contract = {
        "id": "c",
        "awardID": "1",
        "dateSigned": "2026-03-20",
        "value": {"amount": 48, "currency": "USD"},
    }
    night = published({"ocid": "o", "date": "2026-03-20T00:00:00Z", "contracts": [contract]})
    assert night.rows(
        "SELECT lot_id, lot_name, tender_name, buyer_name, award_method, estimate_price, CAST(opened_on AS VARCHAR)"
        " FROM core.lots ORDER BY 1"
    ) == [
        ("o/L1", "Lot one", "Road", "Works Office", "lowest_price", 50, "2026-03-01"),
        ("o/L2", None, "Road", "Works Office", "lowest_price", None, "2026-03-01"),
    ]
    assert night.rows("SELECT tender_mode, CAST(opening_at AS VARCHAR) FROM core.tenders") == [
        ("open", "2026-03-01 09:00:00")
    ]
    assert night.values(WINNERS) == ["A"]
    assert night.rows("SELECT lot_id, contract_no, supplier_id FROM core.contracts") == [("o/L1", "c", "A")]


def test_a_later_file_says_what_has_changed(published):
    published(release(bid(1, "A", 900), awards=[award(1, "A", 900)]))
    night = published(
        {
            "ocid": "o",
            "date": "2026-04-01T00:00:00Z",
            "awards": [award(1, "A", 950)],
        }
    )
    assert night.values("SELECT price FROM core.awards") == [950]


def test_days_without_a_time_are_days(published):
    tender = RELEASE["tender"] | {"tenderPeriod": {"endDate": "2026-03-01"}}
    night = published(release(bid(1, "A", 900, date="2026-02-28"), tender=tender, date="2026-03-20"))
    assert night.rows("SELECT CAST(opened_on AS VARCHAR), opening_at FROM core.lots") == [
        ("2026-03-01", None)
    ]
    assert night.rows("SELECT bidder_id, submitted_at FROM core.bids") == [("A", None)]


def test_releases_without_a_date_are_older_than_any_with_one(published):
    undated = {name: value for name, value in release(bid(1, "A", 900)).items() if name != "date"}
    assert published(undated).values("SELECT price FROM core.bids") == [900]
    assert published(release(bid(1, "A", 950))).values("SELECT price FROM core.bids") == [950]
