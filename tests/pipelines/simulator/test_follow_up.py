# What follows the award, and what registers say. It is there only with the option, it is honest and untidy, and every
# trace of a ring that the truth names is in the tables.

import shutil
from datetime import date

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines.intake import bronze, mapping
from pipelines.simulator import county, deliveries, follow_up
from pipelines.simulator.care import usual_care
from pipelines.simulator.writing import LAST_NIGHT, write_county

pytestmark = [pytest.mark.slow, pytest.mark.trial]

SEED, LOTS = 5, 3000
NIGHT = date(2026, 6, 30)
OF_RINGS = {
    "same_address",
    "same_email",
    "guarantee_payer",
    "copied_bill",
    "borrowed_certificate",
    "claimed_work",
    "same_order",
    "short_window",
    "kind_expert",
    "raised_after_award",
    "lent_staff",
    "third_party_payment",
}


def made(care, lots=LOTS, seed=SEED):
    con = duckdb.connect(config={"python_enable_replacements": False, "threads": 2})
    con.execute("SET enable_progress_bar = false")
    county.simulate(con, seed=seed, lots=lots, last_night=LAST_NIGHT, care=care)
    follow_up.add(con, seed=seed, until=NIGHT, care=care)
    return con


@pytest.fixture(scope="module", autouse=True)
def few_periods():
    """Bring the work in hand up to date less often than every month: a county takes half of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.simulator.market.PERIODS", 10)
        yield


@pytest.fixture(scope="module")
def careless():
    """A county whose rings all take no care."""
    con = made(usual_care()[:1])
    yield con
    con.close()


@pytest.fixture(scope="module")
def honest():
    con = made(())
    yield con
    con.close()


def rows(con, query, **values):
    return con.execute(query, values or None).fetchall()


def one(con, query, **values):
    ((value,),) = rows(con, query, **values)
    return value


def links(con, what):
    """Lots, rings and firms of every link of a kind; there is at least one."""
    found = rows(con, "SELECT lot, ring, firms FROM world.links WHERE what = $what ORDER BY lot", what=what)
    assert found, what
    return found


# --- the option ----------------------------------------------------------------------------------


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The same small county without the option, and twice with it."""
    folder = tmp_path_factory.mktemp("counties")
    for name, option in (("plain", False), ("more", True), ("again", True)):
        write_county(
            folder / name,
            seed=3,
            lots=1000,
            nights=2,
            form="csv",
            care=usual_care(),
            with_follow_up=option,
        )
    return folder


def test_the_same_seed_gives_the_same_bytes(small):
    assert files(small / "more") == files(small / "again")


def test_without_the_option_nothing_of_it_is_delivered(small):
    plain = files(small / "plain")
    text = b"".join(content for name, content in plain.items() if name.endswith(".csv"))
    for tag in (*follow_up.TAGS, "REGISTER_ADDRESS", "EMAIL", "GOVERNMENT_REGION_CODE"):
        assert not any(tag in name for name in plain)
        assert tag.encode() not in text


def test_with_the_option_every_tag_is_delivered_and_the_night_reads_every_record(small, tmp_path):
    seen = set()
    for path in sorted((small / "more" / "inbox" / "national").glob("*.csv")):
        tag = path.name.rsplit("_2026", 1)[0]
        if tag not in follow_up.TAGS:
            continue
        out = tmp_path / path.stem
        out.mkdir()
        toml = mapping.BUILT_IN / "national.toml"
        report = bronze.make(bronze.Job(str(path), "f" * 64, path.name, str(toml), str(out), "00" * 32))
        assert (report.state, report.refused) == ("readable", 0), (path.name, report.reason)
        seen.add(tag)
    assert seen == set(follow_up.TAGS)


def test_lots_tendered_once_have_the_same_bids_with_and_without_the_option(tmp_path):
    con = duckdb.connect(config={"python_enable_replacements": False})
    con.execute("SET enable_progress_bar = false")
    county.simulate(con, seed=SEED, lots=1000, last_night=LAST_NIGHT, care=usual_care())
    con.execute("CREATE TABLE before AS SELECT * FROM world.bids")
    follow_up.add(con, seed=SEED, until=NIGHT, care=usual_care())
    # Where the window was made short, documents are bought and bids handed in later: neither is compared.
    changed = one(
        con,
        "SELECT count(*) FROM before AS b LEFT JOIN world.bids AS a ON a.lot = b.lot AND a.firm = b.firm"
        " AND a.price_fen = b.price_fen AND a.rank IS NOT DISTINCT FROM b.rank AND a.account = b.account"
        " WHERE a.lot IS NULL",
    )
    assert changed == 0
    con.close()


# --- what rings leave ------------------------------------------------------------------------------


def test_careless_rings_leave_every_kind_of_trace_and_careful_ones_none(careless):
    known = {
        what
        for (what,) in rows(
            careless, "SELECT DISTINCT what FROM world.links WHERE NOT is_innocent AND ring >= 0"
        )
    }
    assert known >= OF_RINGS
    careful = made(usual_care()[3:], lots=1000)
    left = {
        what
        for (what,) in rows(
            careful, "SELECT DISTINCT what FROM world.links WHERE NOT is_innocent AND ring >= 0"
        )
    }
    careful.close()
    assert not left & OF_RINGS


@pytest.mark.parametrize(
    ("what", "table", "column"),
    [
        ("same_address", "registered", "address"),
        ("same_email", "mails", "mail"),
        ("guarantee_payer", "guarantees", "payer"),
        ("borrowed_certificate", "stated", "certificate_no"),
        ("claimed_work", "claims", "claimed_lot"),
    ],
)
def test_what_the_truth_calls_shared_is_the_same_value_for_all_its_firms(careless, what, table, column):
    for lot, ring, firms in links(careless, what):
        where = "firm IN (SELECT unnest($firms))" + ("" if table == "registered" else f" AND lot = {lot}")
        values = rows(careless, f"SELECT DISTINCT {column} FROM follow_up.{table} WHERE {where}", firms=firms)
        assert len(values) == 1
        members = one(careless, "SELECT members FROM world.rings WHERE ring = $ring", ring=ring)
        assert set(firms) <= set(members)


def test_a_ring_at_one_address_says_so_in_its_evidence(careless):
    rings = {ring for _, ring, _ in links(careless, "same_address")}
    told = rows(careless, "SELECT ring FROM world.rings WHERE list_contains(evidence, 'same_address')")
    assert rings <= {ring for (ring,) in told}


def test_a_copied_bill_is_the_other_one_times_a_ratio(careless):
    for lot, _, firms in links(careless, "copied_bill"):
        lists = dict(
            rows(
                careless,
                "SELECT firm, list(CAST(unit_price AS DOUBLE) ORDER BY item) FROM follow_up.prices"
                " WHERE lot = $lot AND NOT is_published GROUP BY firm",
                lot=lot,
            )
        )
        first, *others = (np.array(lists[firm]) for firm in firms)
        for other in others:
            ratio = other / first
            assert np.mean(np.abs(ratio / np.median(ratio) - 1) < 0.002) > 0.75


def test_a_short_window_is_shorter_than_twenty_days_and_nobody_bids_before_it_opens(careless):
    for lot, _, _ in links(careless, "short_window"):
        ((days, is_in_order),) = rows(
            careless,
            "SELECT any_value(CAST(l.opening_at AS DATE) - CAST(l.published_at AS DATE)),"
            " bool_and(l.document_at <= b.purchased_at AND b.purchased_at < b.deposited_at"
            " AND b.deposited_at < l.opening_at AND b.purchased_at < b.submitted_at AND b.submitted_at < l.opening_at)"
            " FROM world.lots AS l JOIN world.bids AS b ON b.lot = l.lot WHERE l.lot = $lot",
            lot=lot,
        )
        assert days < 20
        assert is_in_order


def test_a_kind_expert_gives_the_bidder_more_than_the_others_give(careless):
    leads = []
    for lot, ring, (firm,) in links(careless, "kind_expert"):
        points = dict(
            rows(
                careless,
                "SELECT s.expert, any_value(s.points) FILTER (WHERE s.firm = $firm) - avg(s.points)"
                " FROM follow_up.expert_scores AS s WHERE s.lot = $lot GROUP BY s.expert",
                lot=lot,
                firm=firm,
            )
        )
        ((friend,),) = rows(
            careless,
            "SELECT expert FROM follow_up.friends WHERE lot = $lot AND ring = $ring",
            lot=lot,
            ring=ring,
        )
        if friend in points and len(points) > 1:
            leads.append(float(points.pop(friend)) - np.mean([float(value) for value in points.values()]))
    assert min(leads) >= 0  # a bid that has all points cannot get more
    assert max(leads) > 0.3


def test_lent_staff_is_insured_by_another_member_on_the_day_of_the_contract(careless):
    for lot, ring, (winner,) in links(careless, "lent_staff"):
        employers = rows(
            careless,
            "SELECT DISTINCT m.employer FROM follow_up.members AS m WHERE m.lot = $lot AND m.employer <> m.firm",
            lot=lot,
        )
        ((doer,),) = employers
        members = one(careless, "SELECT members FROM world.rings WHERE ring = $ring", ring=ring)
        assert doer in members
        assert doer != winner


def test_the_contract_pays_a_loser_of_the_ring_where_the_truth_says_so(careless):
    for lot, ring, (winner,) in links(careless, "third_party_payment"):
        payees = rows(
            careless,
            "SELECT DISTINCT payee FROM follow_up.payments WHERE lot = $lot AND outside IS NOT NULL",
            lot=lot,
        )
        seats = rows(
            careless, "SELECT firm FROM world.bids WHERE lot = $lot AND ring = $ring", lot=lot, ring=ring
        )
        assert {payee for (payee,) in payees} <= {firm for (firm,) in seats} - {winner}


def test_seats_keep_their_order_in_both_rounds_and_others_move(careless):
    def moves(condition):
        return np.array(
            rows(
                careless,
                "SELECT ln(s.price_fen / f.price_fen)"
                " - avg(ln(s.price_fen / f.price_fen)) OVER (PARTITION BY r.second)"
                " FROM follow_up.rounds AS r JOIN world.bids AS f ON f.lot = r.first"
                " JOIN world.bids AS s ON s.lot = r.second AND s.firm = f.firm"
                " LEFT JOIN follow_up.seats AS t ON t.lot = r.second AND t.firm = f.firm"
                f" WHERE {condition} QUALIFY count(*) OVER (PARTITION BY r.second) > 2",
            )
        )

    assert np.std(moves("t.firm IS NOT NULL")) < 0.003 < 0.008 < np.std(moves("t.firm IS NULL"))


# --- honest people ---------------------------------------------------------------------------------


def test_an_honest_county_has_no_trace_of_a_ring_and_every_innocent_likeness(honest):
    kinds = dict(
        rows(honest, "SELECT what, bool_and(is_innocent) FROM world.links WHERE ring < 0 GROUP BY what")
    )
    assert not rows(honest, "SELECT * FROM world.links WHERE ring >= 0")
    assert {what for what, is_innocent in kinds.items() if not is_innocent} <= {
        "ban",
        "unpaid_works",
        "findings_elsewhere",
        "successor",
    }
    assert set(kinds) >= {
        "corrected_notice",
        "office_tower",
        "service_mail",
        "guarantee_salesman",
        "expert_taste",
        "taken_over",
        "late_renewal",
        "mistyped_work",
        "uninsured_staff",
        "scope_change",
        "claim_sold",
        "disputed_payment",
        "unpaid_works",
    }


@pytest.mark.parametrize(
    ("query", "low", "high"),
    [
        # share of tenders with fewer than twenty days
        (
            "SELECT avg(CAST(CAST(l.opening_at AS DATE) - n.published_on < 20 AS INTEGER)) FROM follow_up.notices AS n"
            " JOIN world.lots AS l ON l.lot = n.lot",
            0.0005,
            0.01,
        ),
        # share of works contracts with staff that was not insured on the day
        (
            "SELECT (SELECT count(DISTINCT lot) FROM world.links WHERE what = 'uninsured_staff') / count(DISTINCT lot)"
            " FROM follow_up.members",
            0.001,
            0.02,
        ),
        # shares of contracts with payments to others, and with payments that stopped
        (
            "SELECT count(DISTINCT lot) FILTER (WHERE outside IS NOT NULL) / count(DISTINCT lot) FROM follow_up.payments",
            0.001,
            0.01,
        ),
        (
            "SELECT count(DISTINCT lot) FILTER (WHERE trouble IS NOT NULL) / count(DISTINCT lot) FROM follow_up.payments",
            0.005,
            0.03,
        ),
        # share of works contracts that were changed, and by how much these grew
        (
            "SELECT count(DISTINCT lot) / (SELECT count(*) FROM follow_up.contracts WHERE class_code = 'A08')"
            " FROM follow_up.changes",
            0.25,
            0.45,
        ),
        (
            "SELECT avg(growth) FROM (SELECT sum(after_fen - before_fen) / any_value(l.contract_fen) AS growth"
            " FROM follow_up.changes JOIN world.lots AS l USING (lot) GROUP BY lot)",
            0.0,
            0.05,
        ),
        # share of stated certificates not in force on the day of the opening
        (
            "SELECT avg(CAST(in_force = 0 AS INTEGER)) FROM (SELECT count(*) FILTER (WHERE CAST(l.opening_at AS DATE) BETWEEN"
            " c.starts_on AND c.ends_on) AS in_force FROM follow_up.stated AS s JOIN world.lots AS l USING (lot)"
            " JOIN follow_up.certificates AS c ON c.firm = s.firm GROUP BY s.lot, s.firm)",
            0.0,
            0.003,
        ),
        # share of firms of the county at an address that another firm has, too
        (
            "SELECT avg(CAST(firms > 1 AS INTEGER)) FROM (SELECT count(*) OVER (PARTITION BY address) AS firms"
            " FROM follow_up.registered JOIN world.firms USING (firm) WHERE is_local)",
            0.03,
            0.20,
        ),
    ],
)
def test_honest_rates_are_plausible(honest, query, low, high):
    assert low < one(honest, query) < high


def test_what_is_paid_never_exceeds_what_is_owed(honest):
    over = one(
        honest,
        "SELECT count(*) FROM (SELECT lot, sum(paid_fen) AS paid FROM follow_up.payments GROUP BY lot) AS p"
        " JOIN follow_up.settled AS s USING (lot) JOIN world.lots AS l USING (lot)"
        " WHERE p.paid > 1.1 * greatest(s.settled_fen, l.contract_fen)",
    )
    assert over == 0


def test_honest_bidders_price_their_bills_for_themselves(honest):
    lots = rows(honest, "SELECT DISTINCT lot FROM follow_up.prices ORDER BY lot LIMIT 20")
    for (lot,) in lots:
        lists = [
            np.array(prices)
            for (prices,) in rows(
                honest,
                "SELECT list(CAST(unit_price AS DOUBLE) ORDER BY item) FROM follow_up.prices"
                " WHERE lot = $lot AND NOT is_published GROUP BY firm ORDER BY firm",
                lot=lot,
            )
        ]
        ratio = lists[1] / lists[0]
        assert np.mean(np.abs(ratio / np.median(ratio) - 1) < 0.002) < 0.6


def test_strict_and_kind_experts_differ_in_all_that_they_give(honest):
    spread = one(
        honest,
        "SELECT stddev(hand) FROM (SELECT expert, avg(above) AS hand FROM (SELECT expert, points - avg(points)"
        " OVER (PARTITION BY lot, firm) AS above FROM follow_up.expert_scores) GROUP BY expert HAVING count(*) > 50)",
    )
    assert spread > 0.3


def test_a_second_round_keeps_its_tender_and_its_name(honest):
    found = rows(
        honest,
        "SELECT f.tender_id = s.tender_id AND f.lot_name = s.lot_name AND f.lot_id <> s.lot_id AND f.attempt = 1"
        " AND s.attempt = 2 AND f.status = 'failed' AND f.opening_at < s.published_at"
        " FROM follow_up.rounds AS r JOIN world.lots AS f ON f.lot = r.first JOIN world.lots AS s ON s.lot = r.second",
    )
    assert len(found) > 20
    assert all(is_so for (is_so,) in found)
    assert one(honest, "SELECT count(*) - count(DISTINCT lot_id) FROM world.lots") == 0


def test_a_delivery_of_one_night_holds_nothing_of_the_time_after_it(honest, tmp_path):
    deliveries.deliver(honest, tmp_path, [NIGHT], "parquet", with_follow_up=True)
    paid = [
        day
        for path in (tmp_path / "inbox" / "national").glob("PAYMENT_INFO_*.parquet")
        for day in pq.read_table(path)["PAY_TIME"].to_pylist()
    ]
    assert len(paid) > 1000
    assert max(paid) <= "20260630"
    shutil.rmtree(tmp_path)
