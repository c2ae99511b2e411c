"""The rules for every detector, whoever adds it. Detectors are found, never listed."""

import ast
import csv
import dataclasses
import inspect
import re
import string
from functools import cache

import numpy as np
import pandas as pd
import pytest
from honest.market import honest_market
from places import REPO as ROOT

from detectors import registry
from detectors.interface import COUNTED, IN_LOT, SCREEN_COLUMNS, SEPARATOR, Detector, Grade, Severity, Status

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


def test_a_law_comes_into_force_before_it_ends_and_is_described_in_both_languages():
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


#: How many units a detector must judge at least, where the market has fewer than 500 of them.
ENOUGH = {"party": 50, "buyer": 5, "ring": 15}


@pytest.fixture(scope="module")
def honest_frames():
    return honest_market()


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


@pytest.mark.slow
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


@pytest.mark.slow
@each("detector")
def test_judged_and_not_judged_by_reason_are_all_there_are(detector, screened, honest):
    # Fails where a judged unit lacks a need, or an unjudged one has them all.
    for each in honest.unjudged(detector, screened(detector)):
        assert each.counted == COUNTED[detector.facts.unit][0]
        assert each.units > 0
        assert re.search(r"[\u4e00-\u9fff]", each.lack_zh)


@each("detector")
def test_an_empty_market_lacks_nothing(detector, market):
    assert market.unjudged(detector, detector.screen(market.engine, detector.limits)) == []


@each("detector")
def test_needs_are_named_in_both_languages_and_only_the_last_has_no_sql(detector):
    for need in detector.needs:
        assert re.search(r"[\u4e00-\u9fff]", need.lack_zh)
        assert not GUILT.search(need.lack)
        assert not GUILT_ZH.search(need.lack_zh)
    assert all(need.sql for need in detector.needs[:-1])
    assert len({need.lack for need in detector.needs}) == len(detector.needs)


@each("detector")
def test_sentences_can_be_written_for_every_row(detector, screened):
    for row in screened(detector).head(200).to_dict("records"):
        for sentence in (detector.facts.says, detector.facts.says_zh):
            assert "{" not in sentence.format(**(vars(detector.limits) | row))


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@each("detector")
def test_another_run_over_another_order_of_the_rows_gives_the_same(detector, screened, shuffled):
    again = detector.screen(shuffled.engine, detector.limits)
    pd.testing.assert_frame_equal(screened(detector), again)
