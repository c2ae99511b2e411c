import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import REPO as ROOT

from detectors.kernels.firms.party_names import (
    Limits,
    code_proposals,
    judged,
    proposals,
    resolve,
)

LABELLED = Path(__file__).with_name("party_names.csv")
PLACES = pd.read_csv(ROOT / "data" / "reference" / "regions.csv", dtype="str")["name_zh"].tolist()
NO_FACTS = pd.DataFrame({"party_id": [], "kind": [], "fact": []}, dtype="str")
NOBODY_JUDGED = pd.DataFrame({"left_id": [], "right_id": [], "verdict": []}, dtype="str")


def named(**parties):
    return pd.DataFrame({"party_id": list(parties), "name": list(parties.values())}, dtype="str")


def known(*rows):
    return pd.DataFrame(rows, columns=["party_id", "kind", "fact"], dtype="str")


def proposed(names, facts=NO_FACTS, **limits):
    return proposals(names, facts, PLACES, Limits(**limits)).pairs


def judgements(*rows):
    return pd.DataFrame(rows, columns=["left_id", "right_id", "verdict"], dtype="str")


# --- the labelled set -----------------------------------------------------------------------------


def labelled():
    rows = pd.read_csv(LABELLED, dtype="str", keep_default_na=False)
    sides = [
        pd.DataFrame({"party_id": side[0].upper() + rows.index.astype(str), "name": rows[side]})
        for side in ("left", "right")
    ]
    facts = [
        (f"{side}{row}", kind, f"{kind} of {row}")
        for row, kinds in rows["facts"].items()
        for kind in kinds.split(", ")
        if kind
        for side in "LR"
    ]
    found = proposed(pd.concat(sides, ignore_index=True), known(*facts))
    pairs = set(zip(found["left_id"], found["right_id"], strict=True))
    return rows.assign(is_proposed=[(f"L{row}", f"R{row}") in pairs for row in rows.index])


def test_precision_and_recall_on_the_labelled_set(capsys):
    rows = labelled()
    is_same = rows["is_same"] == "yes"
    right = (is_same & rows["is_proposed"]).sum()
    precision, recall = right / rows["is_proposed"].sum(), right / is_same.sum()
    wrong = rows.loc[is_same != rows["is_proposed"], ["left", "right", "note"]]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(rows)} labelled pairs, {is_same.sum()} the same: precision {precision:.3f},"
            f" recall {recall:.3f}; wrong:\n{wrong.to_string(index=False)}\n"
        )
    assert precision >= 0.94
    assert recall >= 0.85


def test_the_labelled_set_has_both_kinds_and_invented_names_only():
    rows = pd.read_csv(LABELLED, dtype="str", keep_default_na=False)
    assert set(rows["is_same"]) == {"yes", "no"}
    assert rows["is_same"].value_counts().min() >= 40
    assert not rows.duplicated(["left", "right", "facts"]).any()
    for side in ("left", "right"):
        assert rows[side].str.contains("样例|樣例").all()


def test_without_a_second_fact_no_name_that_is_written_otherwise_is_proposed():
    rows = labelled()
    alone = rows[(rows["facts"] == "") & (rows["is_same"] == "no")]
    assert len(alone) >= 25
    assert not alone["is_proposed"].any()


# --- blocks and facts -----------------------------------------------------------------------------


def test_a_pair_is_told_with_its_score_and_the_facts_behind_it():
    names = named(B="样例泰和建设工程有限公司", A="样例秦和建设工程有限公司")
    facts = known(("A", "phone", "1"), ("B", "phone", "1"), ("A", "head", "x"), ("B", "head", "x"))
    row = proposed(names, facts).iloc[0]
    assert row[["left_id", "right_id", "facts", "how"]].tolist() == ["A", "B", "head, phone", "similar"]
    assert row["score"] == pytest.approx(100 * (1 - 2 / 16))


def test_a_fact_of_many_supports_nothing():
    names = named(A="样例泰和建设工程有限公司", B="样例秦和建设工程有限公司")
    facts = known(*((party, "phone", "agency") for party in "ABCDE"))
    assert len(proposed(names, facts, max_holders=5)) == 1
    assert proposed(names, facts, max_holders=4).empty


def test_score_limit_is_inclusive():
    names = named(A="样例泰和建设工程有限公司", B="样例秦和建设工程有限公司")
    facts = known(("A", "phone", "1"), ("B", "phone", "1"))
    assert len(proposed(names, facts, min_score=87.5)) == 1
    assert proposed(names, facts, min_score=87.6).empty


def test_every_name_that_a_party_ever_had_counts():
    names = pd.concat([named(A="样例新名字建设有限公司"), named(A="样例泰和有限公司", B="样例泰和有限公司")])
    found = proposed(names)
    assert found[["left_id", "right_id", "left_name"]].to_numpy().tolist() == [["A", "B", "样例泰和有限公司"]]


@pytest.mark.parametrize("changed", ["甲乙丙丁戊", "甲乙丁", "甲乙丙丁", "乙丙丁", "甲子丙丁", "子甲乙丙丁"])
def test_names_within_one_character_share_a_block(changed):
    names = named(A="样例甲乙丙丁有限公司", B=f"样例{changed}有限公司", C="样例寅卯辰巳有限公司")
    found = proposed(names, known(("A", "phone", "1"), ("B", "phone", "1")), min_score=0.0)
    assert found[["left_id", "right_id"]].to_numpy().tolist() == [["A", "B"]]


def test_large_buckets_are_cut_and_counted():
    brands = "甲乙丙丁戊己庚辛壬癸"
    names = named(**{f"P{number}": f"样例{brand}建设有限公司" for number, brand in enumerate(brands)})
    assert proposals(names, NO_FACTS, PLACES, Limits(max_bucket=9)).cut_names == 10
    assert proposals(names, NO_FACTS, PLACES, Limits(max_bucket=10)).cut_names == 0


def test_no_names_give_no_pairs():
    found = proposals(named(), NO_FACTS, PLACES, Limits())
    assert (len(found.pairs), found.cut_names) == (0, 0)


def test_blocks_find_what_comparing_everybody_finds():
    rng = np.random.default_rng(5)
    letters = np.array(list("甲乙丙丁戊己"))
    texts = ["样例" + "".join(rng.choice(letters, rng.integers(3, 6))) for _ in range(300)]
    names = named(**{f"P{number:03}": text for number, text in enumerate(texts)})
    found = proposed(names, max_bucket=10_000)
    alike = {(a, b) for a in range(300) for b in range(a + 1, 300) if texts[a] == texts[b]}
    assert {(int(a[1:]), int(b[1:])) for a, b in found[["left_id", "right_id"]].to_numpy()} == alike
    assert alike


# --- codes ----------------------------------------------------------------------------------------


def test_the_organisation_code_inside_a_credit_code_is_proposed():
    names = named(
        **{"91410821YL012JF54H": "样例甲有限公司", "YL012JF54": "样例乙公司", "YL012JF55": "样例丙公司"}
    )
    found = code_proposals(names)
    assert found[["left_id", "right_id", "how"]].to_numpy().tolist() == [
        ["91410821YL012JF54H", "YL012JF54", "organisation code"]
    ]


def test_an_organisation_code_with_a_hyphen_is_the_same():
    assert len(code_proposals(named(**{"91410821YL012JF54H": "甲", "YL012JF5-4": "乙"}))) == 1


# --- judgements -----------------------------------------------------------------------------------


@pytest.fixture
def pairs():
    return proposed(named(A="样例泰和有限公司", B="样例泰和有限责任公司"))


def test_an_undecided_pair_has_no_verdict(pairs):
    assert judged(pairs, NOBODY_JUDGED)["verdict"].tolist() == [""]


def test_a_pair_judged_different_is_gone_whichever_way_round(pairs):
    assert judged(pairs, judgements(("B", "A", "different"))).empty


def test_a_pair_judged_the_same_is_there_even_without_a_proposal(pairs):
    found = judged(pairs, judgements(("Z", "C", "same"), ("A", "B", "same")))
    assert found[["left_id", "right_id", "how", "verdict"]].to_numpy().tolist() == [
        ["A", "B", "written alike", "same"],
        ["C", "Z", "judged", "same"],
    ]


def test_the_last_verdict_counts_and_can_be_undone(pairs):
    first = ("A", "B", "different")
    assert judged(pairs, judgements(first, ("A", "B", "same")))["verdict"].tolist() == ["same"]
    assert judged(pairs, judgements(first, ("B", "A", "undone")))["verdict"].tolist() == [""]


def test_an_unknown_verdict_is_an_error(pairs):
    with pytest.raises(ValueError, match="maybe"):
        judged(pairs, judgements(("A", "B", "maybe")))


# --- over a snapshot ------------------------------------------------------------------------------


def test_the_parties_of_a_snapshot_are_resolved(market):
    market.parties("party legal_representative_id\nA h1:x\nB h1:x")
    market.append(
        "party_names",
        pd.DataFrame(
            {
                "party_id": ["A", "B", "C"],
                "name": [f"样例{brand}建设工程有限公司" for brand in ("泰和", "秦和", "奉和")],
            }
        ),
    )
    found, cut = resolve(market.engine, PLACES, NOBODY_JUDGED, Limits())
    assert found[["left_id", "right_id", "facts"]].to_numpy().tolist() == [["A", "B", "head"]]
    assert cut == 0
