import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.documents import copied_text
from detectors.kernels.texts import bid_texts
from detectors.kernels.texts.bid_texts import BidTexts
from detectors.kernels.texts.mentions import Names
from detectors.kernels.texts.phrases import Phrases, Usual, joined
from detectors.kernels.texts.texts import (
    BREAK,
    Given,
    ascending,
    common_runs,
    is_in,
    keys,
    letters,
    plain,
    prepared,
    shared_windows,
    windows,
    without_joints,
)
from detectors.kernels.texts.whole_texts import EXCERPT, WholeText, own_runs, passages

RANDOM = np.random.default_rng(5)
NOTHING = np.empty(0, dtype=np.uint64)

#: Letters of a window, letters on each side of a phrase, and phrases looked at around a slip.
WINDOW, SIDE, NEAR = 12, 3, 5

#: Few letters, so that texts share much by chance, and repeat themselves.
short_texts = st.text(alphabet="甲乙丙", min_size=0, max_size=120)


def prose(seed, count=2000):
    return "".join(map(chr, np.random.default_rng(seed).integers(0x4E00, 0x9FA5, count)))


def ready(text, known=NOTHING, given=NOTHING, length=WINDOW):
    code = letters(text).code
    own = ascending(keys(windows(code, length)))
    return prepared(code, length, own[~is_in(own, known)], Given(WINDOW, given))


def key_of(text, length=WINDOW):
    return ascending(keys(windows(letters(text).code, length)))


def runs(first, second, min_length=WINDOW):
    found = common_runs(ready(first), ready(second), min_length)
    return list(zip(*(part.tolist() for part in found), strict=True))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("第 一\n章：总　则……", "第一章总则"),
        ("工\u200b程\ufeff建\u00ad设", "工程建设"),
        ("________（盖章）", "盖章"),
        ("工程質量驗收", "工程质量验收"),
        ("①②㈠", "12㈠"),
        ("𠮷野", "𠮷野"),
        ("", ""),
        ("，。！ \n\t", ""),
    ],
)
def test_only_letters_and_digits_are_compared(text, same):
    assert plain(letters(text).code) == same


def test_every_letter_knows_its_place():
    text = "甲 乙\n，丙"
    assert [text[at] for at in letters(text).origin] == ["甲", "乙", "丙"]


def test_a_token_counts_about_as_much_as_the_number_for_which_it_stands():
    one, other = ("电话h1:" + digit * 32 + "。" for digit in "ab")
    assert len(letters(one).code) == len("电话") + 11
    assert plain(letters(one).code) != plain(letters(other).code)
    assert plain(letters(one + "完").code).endswith("完")


@given(st.text(max_size=60), st.integers(1, 13))
@settings(deadline=None)
def test_equal_windows_have_equal_hashes_and_others_have_not(text, length):
    code = letters(text).code
    hashes = windows(code, length)
    assert len(hashes) == max(len(code) - length + 1, 0)
    seen = [plain(code[at : at + length]) for at in range(len(hashes))]
    by_text = {}
    for window, value in zip(seen, hashes.tolist(), strict=True):
        assert by_text.setdefault(window, value) == value
    assert len(set(by_text.values())) == len(by_text)


def longest_common(first, second):
    """The length of the longest run of letters in common, by comparing everything with everything."""
    best = 0
    before = [0] * (len(second) + 1)
    for a in first:
        row = [0] * (len(second) + 1)
        for at, b in enumerate(second):
            if a == b:
                row[at + 1] = before[at] + 1
                best = max(best, row[at + 1])
        before = row
    return best


@given(short_texts, short_texts)
@settings(deadline=None)
def test_runs_are_really_common_cannot_grow_and_are_the_same_from_either_side(first, second):
    found = runs(first, second)
    for one, other, length in found:
        assert length >= WINDOW
        assert first[one : one + length] == second[other : other + length]
        assert one == 0 or other == 0 or first[one - 1] != second[other - 1]
        assert first[one + length : one + length + 1] != second[other + length : other + length + 1] or (
            one + length == len(first) and other + length == len(second)
        )
    assert sorted((other, one, length) for one, other, length in found) == sorted(runs(second, first))


@given(st.integers(0, 400), st.integers(0, 400), st.integers(WINDOW, 300), st.integers(0, 50))
@settings(deadline=None, max_examples=60)
def test_a_planted_run_is_found_whole(before, behind, length, seed):
    planted = prose(1000 + seed, length)
    first = prose(1, before) + planted + prose(2, 100)
    second = prose(3, behind) + planted + prose(4, 100)
    assert runs(first, second) == [(before, behind, length)]


@given(short_texts, short_texts)
@settings(deadline=None, max_examples=60)
def test_texts_with_a_common_run_give_one(first, second):
    assert bool(runs(first, second)) == (longest_common(first, second) >= WINDOW)


def test_a_passage_that_stands_twice_counts_once():
    passage = prose(1, 60)
    assert len(runs(passage + prose(2, 50) + passage, prose(3, 50) + passage)) == 1


def test_known_text_is_taken_off_runs_letter_by_letter():
    passage = prose(1, 200)
    given = key_of(passage[80:120])
    found = own_runs(ready(prose(2) + passage, given=given), ready(passage + prose(3), given=given), 40)
    assert (found.length.tolist(), found.own.tolist(), found.common) == ([200], [160], 160)
    known = key_of(passage[20:120], 40)
    found = own_runs(
        ready(prose(2) + passage, known, length=40), ready(passage + prose(3), known, length=40), 40
    )
    assert (found.length.tolist(), found.own.tolist(), found.common) == ([200], [100], 100)
    assert len(own_runs(ready(passage, key_of(passage)), ready(passage, key_of(passage)), 40).own) == 0


def test_windows_in_which_two_known_texts_meet_are_left_out():
    one, two, own = prose(1, 100), prose(2, 100), prose(3, 100)
    texts = [one + two + own, prose(4, 50) + one + two + own]
    files = [[windows(letters(text).code, 40)] for text in texts]
    known = ascending(np.concatenate([key_of(one, 40), key_of(two, 40)]))
    found = shared_windows([file for (file,) in files], known, 2)
    kept = without_joints(files, 40, found, known)
    assert found.pairs()[1].tolist() == [39 + 100]
    assert kept.pairs()[1].tolist() == [100]
    assert set(kept.key.tolist()) == set(key_of(two[-39:] + own, 40).tolist())


def test_runs_stop_between_files():
    table = pa.table({"text": [prose(1, 100)], "place": ["p1"]})
    other = pa.table({"text": [prose(2, 100)], "place": ["p1"]})
    one, two = (WholeText([("s1", "a", table), ("s2", "b", other)]) for _ in range(2))
    own = ascending(keys(windows(one.code, WINDOW)))
    found = common_runs(
        *(prepared(text.code, WINDOW, own, Given(WINDOW, NOTHING)) for text in (one, two)), 40
    )
    assert found.length.tolist() == [100, 100]
    assert (one.code == BREAK).sum() == 2


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("", "", []),
        ("", "甲" * 100, []),
        ("甲" * 1_000_000, "甲" * 500_000, [(0, 0, 500_000)]),
        ("甲乙" * 200_000, "乙甲" * 200_000, [(0, 1, 399_999), (1, 0, 399_999)]),
    ],
)
def test_hostile_texts_take_no_longer_than_others(first, second, expected):
    started = time.process_time()
    assert runs(first, second, 40) == expected
    assert time.process_time() - started < 5


def test_identical_texts_are_one_run():
    assert runs(prose(1), prose(1), 40) == [(0, 0, 2000)]


def test_shared_windows_are_those_that_a_plain_count_finds():
    texts = ["".join(RANDOM.choice(list("甲乙"), 200)) for _ in range(5)]
    known = key_of(texts[4][:40])
    found = shared_windows([windows(letters(text).code, WINDOW) for text in texts], known, 3)
    sets = [set(key_of(text).tolist()) - set(known.tolist()) for text in texts]
    holders = {key: [at for at, keys_of in enumerate(sets) if key in keys_of] for key in set().union(*sets)}
    own = {key: held for key, held in holders.items() if len(held) <= 3}
    assert found.own.tolist() == [sum(at in held for held in own.values()) for at in range(5)]
    shared = {key: held for key, held in own.items() if len(held) > 1}
    assert sorted(zip(found.key.tolist(), found.bidder.tolist(), strict=True)) == sorted(
        (key, at) for key, held in shared.items() for at in held
    )
    pairs, counts = found.pairs()
    expected = {}
    for held in shared.values():
        for one in held:
            for other in held:
                if one < other:
                    expected[one, other] = expected.get((one, other), 0) + 1
    assert dict(zip(map(tuple, pairs.tolist()), counts.tolist(), strict=True)) == expected
    assert found.holders().tolist() == [len(shared[key]) for key in found.key.tolist()]


def test_two_thousand_texts_are_not_compared_two_by_two():
    texts = [windows(letters(prose(number, 300)).code, WINDOW) for number in range(2000)]
    texts[7] = texts[1900]
    started = time.process_time()
    pairs, counts = shared_windows(texts, NOTHING, 2).pairs()
    assert (pairs.tolist(), counts.tolist()) == ([[7, 1900]], [289])
    assert time.process_time() - started < 5


def test_passages_are_runs_far_apart_in_either_text():
    first = prose(1, 100) + prose(2, 50) + prose(3, 100)
    second = prose(1, 100) + prose(4, 30) + prose(3, 100)
    assert passages(own_runs(ready(first), ready(second), 40), 49) == 2
    assert passages(own_runs(ready(first), ready(second), 40), 50) == 1
    assert passages(own_runs(ready(first), ready(prose(5)), 40), 50) == 0


def test_names_are_found_in_any_writing_and_a_branch_is_not_its_head_office():
    names = Names(["甲州恒远建设集团有限公司", "甲州恒远建设集团有限公司修水分公司", "短名"], 6)
    code = letters("由甲州（恒远）建设集团 有限公司承建；甲州恒远建设集团有限公司修水分公司；短名").code
    found = names.found(code)
    assert found.name.tolist() == [0, 1]
    assert plain(code[found.first[0] :]).startswith("甲州恒远建设集团有限公司承建")
    assert len(Names([], 6).found(code).first) == 0


def test_a_phrase_is_usual_where_enough_write_it_and_nearly_nobody_else_otherwise():
    text = prose(1, 60)
    other = text[:30] + "按" + text[31:]
    learnt = Usual.learnt([Phrases.of(letters(x).code, SIDE) for x in [text] * 9 + [other]], 9, 0.9)
    assert len(Usual.learnt([Phrases.of(letters(text).code, SIDE)] * 8, 9, 0.9).context) == 0
    found = learnt.departures(Phrases.of(letters(other).code, SIDE), SIDE, NEAR)
    assert found.here.tolist() == [30 - SIDE]
    assert plain(learnt.middle[found.usual]) == text[30]
    # Of the other text's phrases those with the slip beside the middle are unknown.
    assert (len(learnt.context), len(found.known)) == (60 - 2 * SIDE, 60 - 4 * SIDE)
    too_many = Usual.learnt([Phrases.of(letters(x).code, SIDE) for x in [text] * 9 + [other] * 2], 9, 0.9)
    assert len(too_many.departures(Phrases.of(letters(other).code, SIDE), SIDE, NEAR).here) == 0


def test_a_phrase_written_in_two_ways_in_one_document_is_not_usual():
    text = prose(1, 60)
    both = joined([Phrases.of(letters(x).code, SIDE) for x in (text, text[:30] + "按" + text[31:])])
    other = Phrases.of(letters(text[:30] + "安" + text[31:]).code, SIDE)
    assert len(Usual.written(both).departures(other, SIDE, NEAR).here) == 0
    assert len(Usual.written(Phrases.of(letters(text).code, SIDE)).departures(other, SIDE, NEAR).here) == 1


def filed(market, rows):
    """File texts: lot, bidder, kind, text."""
    files = pd.DataFrame(rows, columns=["lot_id", "bidder_id", "kind", "text"]).astype("str")
    files["file_sha"] = [f"s{hash_:04}" for hash_ in pd.factorize(files["text"])[0]]
    index = files.drop(columns="text").assign(file_hash=files["file_sha"])
    parts = files.drop_duplicates("file_sha")[["file_sha", "text"]].assign(part_no=1, place="p1")
    market.append("bid_files", index).append("file_parts", parts)
    return BidTexts.of(market.engine)


def test_holders_are_bidders_over_all_lots_once_each(market, monkeypatch):
    texts = [
        ("L1", "A", "bid", prose(1)),
        ("L2", "A", "bid", prose(1) + prose(2)),
        ("L2", "B", "bid", prose(1)),
    ]
    found = filed(market, [*texts, ("L3", "C", "bid", prose(3)), ("L3", None, "tender", prose(1))])
    wanted = ascending(np.concatenate([key_of(prose(1)), key_of(prose(3)), key_of(prose(4))]))
    expected = 2 * is_in(wanted, key_of(prose(1))) + is_in(wanted, key_of(prose(3)))
    assert found.holders(WINDOW, wanted).tolist() == expected.tolist()
    monkeypatch.setattr(bid_texts, "BATCH", 100)
    assert found.holders(WINDOW, wanted).tolist() == expected.tolist()


def test_lots_are_given_whole_and_in_order_however_little_is_read_at_once(market, monkeypatch):
    rows = [
        (f"L{lot}", bidder, "bid", prose(10 * lot + at, 500))
        for lot in range(4)
        for at, bidder in enumerate("AB")
    ]
    found = filed(market, [*rows, ("L1", None, "tender", prose(99))])
    whole = [(lot.lot_id, lot.bidders, [len(text) for (text,) in lot.texts]) for lot in found.lots(WINDOW)]
    assert whole == [(f"L{lot}", ["A", "B"], [489, 489]) for lot in range(4)]
    assert [lot.has_tender for lot in found.lots(WINDOW)] == [False, True, False, False]
    assert [lot.lot_id for lot in found.lots(WINDOW, ["L3", "L0"])] == ["L0", "L3"]
    for size in (600, 1100, 2500):
        monkeypatch.setattr(bid_texts, "BATCH", size)
        sums = {}
        for lot in found.lots(WINDOW):
            sums[lot.lot_id] = sums.get(lot.lot_id, 0) + sum(len(text) for (text,) in lot.texts)
        assert sums == {f"L{lot}": 978 for lot in range(4)}


def test_excerpts_are_cut_and_show_the_text_as_it_was():
    table = pa.table({"text": ["第一段，", "甲 乙\n丙：" * 40], "place": ["p1", "p2"]})
    whole = WholeText([("s1", "a.docx", table)])
    assert whole.excerpt(0, 3) == "第一段"
    assert whole.excerpt(3, 3) == "甲 乙 丙"
    long = whole.excerpt(3, 120)
    assert (len(long), long[-1]) == (EXCERPT, "…")
    assert (whole.place(0), whole.place(3), whole.part(5)) == ("a.docx p1", "a.docx p2", (3, 123))


def test_a_lot_of_many_bidders_compares_only_those_that_share_text(market, monkeypatch):
    rows = [("L1", f"F{number:03}", "bid", prose(number, 1100)) for number in range(150)]
    rows[70] = ("L1", "F070", "bid", prose(3, 1100))
    market.bids("lot bidder\n" + "\n".join(f"L1 F{number:03}" for number in range(150)))
    filed(market, rows)
    compared = []
    monkeypatch.setattr(copied_text, "own_runs", lambda *args: compared.append(1) or own_runs(*args))
    assert market.flagged_together("documents.copied_text") == [{"F003", "F070"}]
    assert len(compared) == 1
