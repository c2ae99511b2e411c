"""What every detector must keep, whoever adds it. Detectors are found, never listed."""

import ast
import csv
import dataclasses
import inspect
import re
import string
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detectors import registry
from detectors.contract import IN_LOT, SCREEN_COLUMNS, SEPARATOR, Detector, Grade, Severity, Status
from detectors.ruled_lots import known_rules

ROOT = Path(__file__).parents[1]
LEGAL_BASIS = ROOT / "data" / "reference" / "legal_basis.csv"
SECTIONS = ("Why it matters", "Looks innocent when", "Blind spots", "Sources")
UNITS = {"lot", "pair", "ring", "party", "lot_party", "buyer"}

#: A machine never accuses. English words are compared from their start.
GUILT = re.compile(
    r"\b(guilt|cheat|fraud|crim|illegal|unlawful|corrupt|brib|collu|cartel|rigg|conspir|offen[cd])", re.I
)
GUILT_ZH = re.compile(r"认定|违法|违规|犯罪|作弊|舞弊|弄虚作假|行贿|(?<!疑似)(围标|串标|串通|陪标)")

#: A detector reads tables through its engine: no file, no clock, no network, no store.
PURE = {
    "__future__",
    "collections",
    "dataclasses",
    "detectors",
    "hashlib",
    "itertools",
    "math",
    "networkx",
    "numpy",
}
PURE |= {"pandas", "pyarrow", "rapidfuzz", "scipy", "sklearn", "typing"}

LOADED = registry.load()


def each(argument):
    return pytest.mark.parametrize(argument, LOADED, ids=lambda loaded: loaded.id)


def placeholders(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_there_are_detectors():
    assert LOADED


@each("detector")
def test_facts_are_complete(detector):
    facts = detector.facts
    assert isinstance(facts, Detector)
    assert (type(facts.grade), type(facts.severity), type(facts.status)) == (Grade, Severity, Status)
    assert facts.unit in UNITS
    assert facts.evidence
    assert facts.identity_version >= 1
    for text in (facts.title, facts.title_zh, facts.measures, facts.says, facts.says_zh):
        assert text.strip() == text != ""
    for text in (facts.title_zh, facts.says_zh):
        assert re.search(r"[\u4e00-\u9fff]", text)


@each("detector")
def test_limits_are_frozen_have_defaults_and_are_all_read(detector):
    limits = detector.module.Limits
    assert limits.__dataclass_params__.frozen
    assert all(field.default is not dataclasses.MISSING for field in dataclasses.fields(limits))
    tree = ast.parse(inspect.getsource(detector.module))
    read = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "limits"
    }
    assert {field.name for field in dataclasses.fields(limits)} == read


@each("detector")
def test_every_limit_says_its_unit_in_a_comment(detector):
    source = inspect.getsource(detector.module.Limits)
    for field in dataclasses.fields(detector.module.Limits):
        assert re.search(rf"^    {field.name}: \w+ = \S+  # \S", source, re.M), field.name


@each("detector")
def test_docstring_has_a_headline_and_all_sections_in_order(detector):
    doc = detector.module.__doc__
    assert doc.splitlines()[0].endswith(".")
    positions = [doc.find(f"\n{section}\n    ") for section in SECTIONS]
    assert -1 not in positions
    assert positions == sorted(positions)


def legal_basis():
    with LEGAL_BASIS.open(encoding="utf-8", newline="") as file:
        return {row["basis_id"]: row for row in csv.DictReader(file)}


@each("detector")
def test_cited_law_exists(detector):
    assert set(detector.facts.legal_basis) <= legal_basis().keys()


@each("detector")
def test_presumption_or_trust_needs_a_law(detector):
    facts = detector.facts
    if facts.grade is Grade.A or (facts.status is Status.STABLE and facts.grade is not Grade.C):
        assert facts.legal_basis


def test_law_is_in_force_from_before_it_ends_and_is_told_in_both_languages():
    with LEGAL_BASIS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["basis_id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["instrument"] and row["instrument_en"] and row["gist_zh"] and row["gist_en"], row[
            "basis_id"
        ]
        if row["valid_from"] and row["valid_to"]:
            assert row["valid_from"] <= row["valid_to"], row["basis_id"]


@each("detector")
def test_its_test_file_has_the_three_kinds_of_test_and_its_blind_spots(detector):
    family, name = detector.id.split(".")
    file = ROOT / "tests" / "detectors" / family / f"test_{name}.py"
    assert file.exists(), f"write {file.relative_to(ROOT)}"
    source = file.read_text(encoding="utf-8")
    for kind in ("test_flags_", "test_leaves_", "test_cannot_judge_"):
        assert f"def {kind}" in source, f"{file.name} has no {kind}*"
    assert "inclusive" in source
    assert "pytest.mark.xfail(strict=True, reason=" in source


@each("detector")
def test_evidence_columns_exist(detector, market):
    columns = {
        f"{table}.{column}"
        for table, column in market.con.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'core'"
        ).fetchall()
    }
    assert set(detector.facts.evidence) <= columns


@each("detector")
def test_both_sentences_say_the_same(detector):
    assert placeholders(detector.facts.says) == placeholders(detector.facts.says_zh)
    limits = {field.name for field in dataclasses.fields(detector.module.Limits)}
    assert "value" in placeholders(detector.facts.says)
    assert placeholders(detector.facts.says) & limits, "the sentence must name the limit"


@each("detector")
def test_example_fills_the_sentences(detector):
    limits = {field.name for field in dataclasses.fields(detector.module.Limits)}
    assert detector.module.EXAMPLE.keys() == placeholders(detector.facts.says) - limits


@each("detector")
def test_it_is_pure(detector):
    tree = ast.parse(inspect.getsource(detector.module))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        )
    }
    assert imported <= PURE
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"open", "print", "input", "eval", "exec"}


@each("detector")
def test_no_word_of_guilt(detector):
    facts = detector.facts
    for text in (facts.title, facts.says, facts.measures):
        assert not GUILT.search(text), text
    for text in (facts.title_zh, facts.says_zh):
        assert not GUILT_ZH.search(text), text


@pytest.mark.parametrize("text", ["The bidders colluded", "A rigged lot", "criminal bids", "fraudulent"])
def test_words_of_guilt_are_found(text):
    assert GUILT.search(text)


@pytest.mark.parametrize(
    ("text", "found"), [("存在围标", True), ("疑似围标线索", False), ("经认定", True), ("报价异常", False)]
)
def test_words_of_guilt_are_found_in_chinese(text, found):
    assert bool(GUILT_ZH.search(text)) is found


def conforms(detector, frame):
    """Check the shape of a screen's result."""
    assert set(SCREEN_COLUMNS) - {"entities"} <= set(frame.columns)
    assert placeholders(detector.facts.says) <= set(frame.columns) | set(vars(detector.limits))
    assert frame["flagged"].dtype == bool
    assert frame["value"].dtype == np.float64
    assert frame["p_value"].dtype == np.float64
    assert frame["value"].notna().all()
    assert frame["unit"].notna().all()
    assert not frame.duplicated(["unit", *({"entities"} & set(frame))]).any(), "two signals with one identity"
    assert ("lot_ids" in frame) == (detector.facts.unit not in IN_LOT)
    assert not (frame["p_value"] < 0).any()
    assert not (frame["p_value"] > 1).any()
    assert isinstance(frame.index, pd.RangeIndex)
    for column in frame:
        assert pd.api.types.is_scalar(frame[column].iloc[0]) if len(frame) else True, f"{column} is not plain"


@each("detector")
def test_an_empty_market_gives_an_empty_frame_with_its_columns(detector, market):
    frame = detector.screen(market.engine, detector.limits)
    conforms(detector, frame)
    assert frame.empty


LOTS = 2_400
FIRMS = 400

#: Firms that bid for the same kind of lots: pairs of them meet often, others never.
NICHE = 20

#: Units that a detector must have judged, where the market does not have 500 of them.
ENOUGH = {"party": 50, "buyer": 5, "ring": 15}


def registered(firms):
    """Return what a register knows of the firms: each its own head, phone and address."""
    party = pd.Series([f"F{number:04}" for number in range(firms)])
    return pd.DataFrame(
        {
            "party_id": party,
            "party_code": party,
            "name": "Firm " + party,
            "legal_representative": "h1:h" + party,
            "legal_representative_id": "h1:l" + party,
            "phone": "h1:t" + party,
            "address": "Street " + party,
            "registered_on": ["2015-03-01", "2023-06-01"] * (firms // 2),
        }
    )


def decided(lots, bids):
    """Return what follows the bids: an evaluation that rejects at random, award, contract, subcontract."""
    rng = np.random.default_rng(20260302)
    lots = lots.assign(
        tender_id=lots["lot_id"],
        buyer_code=rng.choice([f"BUYER{number}" for number in range(4)], len(lots)),
        agency_code=rng.choice([f"AGENCY{number}" for number in range(4)], len(lots)),
        opening_at=lots["opened_on"] + " 01:30:00",
        ceiling_price_cny=lots["ceiling_price"],
    )
    opened_on = lots.set_index("lot_id")["opened_on"]
    minutes = pd.to_timedelta(rng.uniform(5, 20_000, len(bids)), unit="min")
    submitted_at = pd.to_datetime(bids["lot_id"].map(lots.set_index("lot_id")["opening_at"])) - minutes
    bids = bids.assign(
        submitted_at=submitted_at.dt.strftime("%Y-%m-%d %H:%M:%S"),
        is_winner=bids.groupby("lot_id")["price"].rank(method="first") == 1,
        duration_days=200,
        project_manager_id="h1:m" + bids["bidder_id"] + rng.integers(0, 5, len(bids)).astype(str),
    )
    won = bids[bids["is_winner"]].reset_index(drop=True)
    awarded_on = pd.to_datetime(won["lot_id"].map(opened_on)) + pd.Timedelta(days=5)
    signed_on = awarded_on + pd.to_timedelta(rng.integers(5, 30, len(won)), unit="D")
    some = won.head(900)
    return {
        "lots": lots,
        "bids": bids,
        "tenders": pd.DataFrame(
            {
                "tender_id": lots["tender_id"],
                "tender_mode": "open",
                "is_legally_mandatory": True,
                "published_on": (pd.to_datetime(lots["opened_on"]) - pd.Timedelta(days=25)).dt.date,
            }
        ),
        "documents": pd.DataFrame({"lot_id": lots["lot_id"], "bid_deadline_at": lots["opening_at"]}),
        "candidates": (
            # Now and then the first candidate cannot take the award.
            bids.assign(
                candidate_id=bids["bidder_id"],
                rank=bids.groupby("lot_id")["price"].rank(method="first").astype(int),
            )
            .query("rank <= 3")
            .assign(
                rank=lambda c: c["rank"].replace({1: 2, 2: 1}).where(c["lot_id"].str[-2:] == "07", c["rank"])
            )[["lot_id", "candidate_id", "rank"]]
        ),
        "awards": pd.DataFrame(
            {
                "lot_id": won["lot_id"],
                "winner_id": won["bidder_id"],
                "price": won["price"],
                "currency": "CNY",
                "awarded_on": awarded_on.dt.date,
                "project_lead_id": won["project_manager_id"],
            }
        ),
        "contracts": pd.DataFrame(
            {
                "lot_id": won["lot_id"],
                "contract_no": "C-" + won["lot_id"],
                "supplier_id": won["bidder_id"],
                "price": won["price"],
                "currency": "CNY",
                "signed_on": signed_on.dt.date,
            }
        ),
        "scores": bids[["lot_id", "bidder_id"]].assign(
            is_vetoed=~bids["is_winner"] & (rng.random(len(bids)) < 0.05)
        ),
        "failures": lots.sample(frac=0.03, random_state=1)[["lot_id"]],
        "experts": pd.DataFrame(
            {
                "lot_id": np.repeat(lots["lot_id"].to_numpy(), 3),
                "expert_key": np.tile(["1", "2", "3"], len(lots)),
                "expert_id": [
                    f"h1:e{number}" for _ in range(len(lots)) for number in rng.choice(30, 3, replace=False)
                ],
            }
        ),
        "contract_members": pd.DataFrame(
            {
                "lot_id": won["lot_id"],
                "contractor_id": won["bidder_id"],
                "person_id": won["project_manager_id"],
            }
        ),
        "insured_people": pd.DataFrame(
            {
                "party_id": bids["bidder_id"],
                "person_id": bids["project_manager_id"],
                "starts_on": "2020-01-01",
            }
        ),
        "payments": pd.DataFrame(
            {
                "lot_id": won["lot_id"],
                "payment_no": "P-" + won["lot_id"],
                "payee_id": won["bidder_id"],
                "amount": won["price"],
            }
        ),
        "subcontracts": pd.DataFrame(
            {
                "lot_id": some["lot_id"],
                "contractor_id": some["bidder_id"],
                "subcontractor_id": [f"SUB{number:03}" for number in rng.integers(0, 300, len(some))],
                "price": 1000.0,
                "signed_on": "2026-05-01",
            }
        ),
    }


def evaluated(lots, bids, frames):
    """Add what the award rules need: their wording, the draws, the ranks; estimates and priced items."""
    rng = np.random.default_rng(20260303)
    wording = {"lowest_price": "lowest", "average_price": "drawn_factor"}
    rules = lots["award_method"].map(wording)
    texts = rules.map({id: rule.method_text for id, rule in known_rules().items()})
    drawn = lots.loc[rules == "drawn_factor", ["lot_id"]]
    scores = (
        frames["scores"].merge(bids[["lot_id", "bidder_id", "price"]]).merge(lots[["lot_id", "award_method"]])
    )
    ranked = scores[~scores["is_vetoed"] & (scores["award_method"] == "lowest_price")]
    some = bids.groupby("lot_id").head(3)
    some = some[some["lot_id"].isin(lots["lot_id"].head(520))]
    norm = np.exp(rng.normal(4.5, 1.5, 30)) + 1
    return frames | {
        "lots": frames["lots"].assign(
            estimate_price=(lots["ceiling_price"] * rng.uniform(1.0, 1.05, len(lots))).round(2)
        ),
        "documents": frames["documents"].assign(evaluation_method=texts.astype("str")),
        "draws": drawn.assign(drawn_values=rng.choice(["K=0.96", "K=0.97", "K=0.98"], len(drawn))),
        "scores": frames["scores"].assign(
            rank=ranked.groupby("lot_id")["price"].rank(method="first").astype("Int64")
        ),
        "priced_items": pd.DataFrame(
            {
                "lot_id": np.repeat(some["lot_id"].to_numpy(), 30),
                "bidder_id": np.repeat(some["bidder_id"].to_numpy(), 30),
                "item_code": np.tile([f"{number:012}" for number in range(30)], len(some)),
                "unit_price": (norm * np.exp(rng.normal(0, 0.1, (len(some), 30)))).ravel().round(2),
                "currency": "CNY",
                "is_published_price": False,
            }
        ),
    }


@pytest.fixture(scope="module")
def honest_frames():
    """2,400 lots with 3 to 9 independent bids each, bidders with their own machines, people and accounts."""
    rng = np.random.default_rng(20260301)
    sizes = rng.integers(3, 10, LOTS)
    lots = pd.DataFrame(
        {
            "lot_id": [f"P{number:05}" for number in range(LOTS)],
            "award_method": rng.choice(
                ["lowest_price", "average_price", "comprehensive_score"], LOTS, p=[0.5, 0.45, 0.05]
            ),
            "class": rng.choice(["A01", "A02"], LOTS),
            "opened_on": rng.choice(["2025-06-02", "2026-03-02"], LOTS),
            "ceiling_price": np.round(rng.uniform(5e5, 5e7, LOTS), 2),
        }
    )
    lot = np.repeat(np.arange(LOTS), sizes)
    niche = rng.integers(0, FIRMS // NICHE, LOTS)
    firm = np.concatenate(
        [n * NICHE + rng.choice(NICHE, size, replace=False) for n, size in zip(niche, sizes, strict=True)]
    )
    spread = rng.uniform(0.03, 0.10, LOTS)[lot]
    price = lots["ceiling_price"].to_numpy()[lot] * np.exp(rng.normal(-0.2, spread))
    bids = pd.DataFrame(
        {
            "lot_id": lots["lot_id"].to_numpy()[lot],
            "bidder_id": np.array([f"F{number:04}" for number in range(FIRMS)])[firm],
            "price": np.minimum(price, lots["ceiling_price"].to_numpy()[lot]).round(2),
        }
    )
    who = bids[["lot_id", "bidder_id"]]
    own = who["bidder_id"] + np.char.add("-", rng.integers(0, 3, len(bids)).astype(str))
    machine = who.assign(
        mac=own, cpu_id=own, disk_serial=own, memory_serial=own, dongle=who["bidder_id"], ip=own
    ).assign(created_id=who["lot_id"] + own)
    # Once in every niche all bidders of a lot have their prices printed by the same copy shop.
    at_shop = np.isin(lot, pd.DataFrame({"niche": niche, "size": sizes}).groupby("niche")["size"].idxmax())
    machine["dongle"] = machine["dongle"].where(~at_shop, "copy shop " + machine["lot_id"])
    person = who.assign(person_id="h1:i" + own, person="h1:n" + own, phone="h1:p" + own)
    return {
        **evaluated(lots, bids, decided(lots, bids)),
        "fingerprints": pd.concat([machine.assign(purpose="pricing"), machine.assign(purpose="upload")]),
        "people": pd.concat(
            [person.assign(role="project_manager"), person.assign(role="agent", person_id="h1:a" + own)]
        ),
        "deposits": who.assign(account="h1:c" + who["bidder_id"]),
        "document_purchases": who.assign(
            account="h1:c" + who["bidder_id"], purchase_ip=own, purchase_browser="B", download_ip=own
        ),
        "parties": registered(FIRMS),
        "relations": pd.DataFrame(
            {
                "party_id": [f"F{number:04}" for number in range(50)],
                "holder_id": [f"OUTSIDE{number:04}" for number in range(50)],
                "holder_share": 0.6,
            }
        ),
        "penalties": pd.DataFrame(
            {
                "party_id": [f"F{number:04}" for number in range(60)],
                "decision_no": [f"D{number}" for number in range(60)],
                "starts_on": "2023-01-01",
                "ends_on": "2024-12-31",
            }
        ),
    }


def fill(market, frames):
    for table, rows in frames.items():
        market.append(table, rows.reset_index(drop=True))
    return market


@pytest.fixture(scope="module")
def honest(make_market, honest_frames):
    market = fill(make_market(), honest_frames)
    yield market
    market.con.close()


@pytest.fixture(scope="module")
def shuffled(make_market, honest_frames):
    market = fill(
        make_market(), {name: rows.sample(frac=1, random_state=3) for name, rows in honest_frames.items()}
    )
    yield market
    market.con.close()


@pytest.fixture(scope="module")
def screened(honest):
    """What each detector says of the honest market; nobody may change it."""
    return cache(lambda detector: detector.screen(honest.engine, detector.limits))


@each("detector")
def test_an_honest_market_is_left_alone(detector, screened):
    frame = screened(detector)
    conforms(detector, frame)
    units = frame.groupby("unit")["flagged"].any()
    assert len(units) > ENOUGH.get(detector.facts.unit, 500), "the market must let it judge enough"
    rate = units.mean()
    if detector.facts.grade is Grade.C:
        nominal = getattr(detector.limits, "max_p", 0.01)  # a rule without a p-value has no nominal rate
        assert rate <= nominal + 3 * np.sqrt(nominal * (1 - nominal) / len(units))
    else:
        assert rate <= 0.01


@each("detector")
def test_sentences_can_be_written_for_every_row(detector, screened):
    for row in screened(detector).head(200).to_dict("records"):
        for sentence in (detector.facts.says, detector.facts.says_zh):
            assert "{" not in sentence.format(**(vars(detector.limits) | row))


@each("detector")
def test_entities_bid_in_their_lot(detector, screened, honest_frames):
    frame = screened(detector)
    if "entities" not in frame:
        return
    bidders = honest_frames["bids"].groupby("lot_id")["bidder_id"].agg(set)
    everyone = set(honest_frames["bids"]["bidder_id"])
    for unit, entities in frame.loc[frame["entities"].notna(), ["unit", "entities"]].itertuples(index=False):
        # A unit that is no lot is about firms that bid anywhere.
        assert set(entities.split(SEPARATOR)) <= bidders.get(unit.split("/")[0], everyone)


@each("detector")
def test_a_finding_that_is_not_about_one_lot_names_lots_of_its_firms(detector, screened, honest_frames):
    frame = screened(detector)
    if "lot_ids" not in frame:
        return
    bid_in = honest_frames["bids"].groupby("bidder_id")["lot_id"].agg(set)
    for row in frame[frame["lot_ids"].notna()].head(200).itertuples():
        lots = row.lot_ids.split(SEPARATOR)
        assert sorted(set(lots)) == lots
        if isinstance(row.entities, str):
            assert set(lots) <= set().union(*bid_in[row.entities.split(SEPARATOR)])
    assert frame.loc[frame["flagged"], "lot_ids"].notna().all()


@each("detector")
def test_another_run_over_another_order_of_the_rows_gives_the_same(detector, screened, shuffled):
    again = detector.screen(shuffled.engine, detector.limits)
    pd.testing.assert_frame_equal(screened(detector), again)
