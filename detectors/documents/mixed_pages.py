"""A page or passage of one bidder's own bid stands in another bidder's file.

Why it matters
    A page with one bidder's name may stand, word for word, in the file of another. Somebody who had both bids in
    hand put it there.

Looks innocent when
    - both were given the page with the name on it. A passage that the tender document, a template or a third
      bidder's file holds as well does not count;
    - the page comes from a third party and names both, such as an old award notice. A passage that also names
      the bidder whose file it is does not count;
    - the two agreed on a subcontract or a supply that both had to file: read the page;
    - the two bid together as a joint venture. They count as one.

Blind spots
    Pages whose name was changed and whose text was not; see documents.copied_text. Scanned pages and pictures of
    pages. Pages that were retyped, or have a changed word every few lines. Names in a form that was never
    delivered. A ring of three whose pages stand in all three files.

Sources
    招标投标法实施条例 §40(5) 不同投标人的投标文件相互混装. What is measured is an unbroken run of letters around the
    other bidder's name that stands in that bidder's own files, too. The text of a form is everybody's. With the
    name in it, it counts only if it stands in the files of these two bidders of the lot and in no document of the
    buyer. It is a presumption only once a person has seen the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.texts.bid_texts import NEEDS as TEXTS
from detectors.kernels.texts.bid_texts import BidTexts, LotWindows
from detectors.kernels.texts.mentions import AUTHORS, LotNamings, Names, Naming, namings
from detectors.kernels.texts.texts import Given, common_runs, letters, prepared
from detectors.kernels.texts.whole_texts import WholeText

DETECTOR = Detector(
    title="A passage of one bidder's own bid stands in another bidder's file",
    title_zh="投标文件中混有署其他投标人名称的内容",
    unit="lot",
    measures="letters of the longest common run around the other bidder's name, name not counted, number",
    grade=Grade.A,
    severity=Severity.HIGH,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-40-5", "ORDER87-37-5"),
    evidence=("bid_files.file_hash", "bid_files.file_name"),
    says="{blocks} passage(s) around the other bidder's name ({name}) stand word for word in that bidder's own file"
    " and in no other document of the lot; the longest has {value:.0f} letters (limit {min_letters}). A person must"
    " look at both pages. {place}: {excerpt} / {named_place}: {named_excerpt}",
    says_zh="一家投标人的文件中有 {blocks} 处带有另一家投标人名称（{name}）的内容，与后者自己的文件逐字相同，且不见于本标段其他"
    "文件；最长一处 {value:.0f} 字（阈值 {min_letters} 字），须由人工对照原件。{place}：{excerpt}；"
    "{named_place}：{named_excerpt}",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "blocks": 1,
    "name": "某某建设有限公司",
    "value": 512,
    "place": "technical.docx page 31 第31页",
    "excerpt": "某某建设有限公司施工组织设计",
    "named_place": "bid.docx page 31 第31页",
    "named_excerpt": "某某建设有限公司施工组织设计",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_run: int = 40  # letters of a run that is looked at
    min_letters: int = 100  # letters of a run around the name, the name not counted
    min_name: int = 6  # letters of the shortest name that is looked for
    beside: int = 12  # letters next to the name, before or after it, that both files must have


NEEDS = (
    *TEXTS,
    Need(
        "fewer than two bidders with text known by name",
        "有投标文件文本且名称已知的投标人不足两家",
        f"SELECT lot_id AS unit FROM ({AUTHORS}) AS authors GROUP BY lot_id HAVING count(*) >= 2",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which two bidders with a known name filed a text.

    One row for every two bidders with such a passage in the file of one of them, about the longest passage. One
    row with value 0 for a lot without any.
    """
    texts = BidTexts.of(engine)
    # A run of letters around a name that stands in both files has a window beside the name in both.
    lots = [
        lot._replace(places=[place for place in lot.places if place.is_beside_own])
        for lot in namings(texts, limits.min_name, beside=limits.beside)
        if len(lot.bidders) > 1
    ]
    naming = {lot.lot_id for lot in lots if lot.places}
    shared = {lot.lot_id: lot for lot in texts.shared(limits.min_run, _only_two, 1, naming)} if naming else {}
    rows: list[dict[str, object]] = []
    for lot in lots:
        found = list(_found(texts, lot, shared[lot.lot_id], limits)) if lot.places else []
        rows.extend(
            row | {"bidders": len(lot.bidders)}
            for row in _by_pair(found) or [{"unit": lot.lot_id} | _NOTHING]
        )
    frame = pd.DataFrame(rows, columns=list(_FACTS)).astype(_FACTS)
    frame = frame.assign(
        flagged=frame["value"] >= limits.min_letters,
    )
    return frame.sort_values(["unit", "entities"], ignore_index=True)


_FACTS = {
    "unit": "str",
    "entities": "str",
    "value": "float64",
    "bidders": "int64",
    "blocks": "int64",
    "owner": "str",
    "name": "str",
    "place": "str",
    "excerpt": "str",
    "named_place": "str",
    "named_excerpt": "str",
}
_NOTHING: dict[str, object] = {"entities": None, "value": 0.0, "blocks": 0}
_NOTHING |= dict.fromkeys(["owner", "name", "place", "excerpt", "named_place", "named_excerpt"], "")


def _only_two(bidders: int, has_tender: bool) -> int:
    """Return how many bidders may share a passage: its owner, and the one in whose file it stands."""
    return 2


def _found(
    texts: BidTexts, lot: LotNamings, windows: LotWindows, limits: Limits
) -> Iterator[dict[str, object]]:
    """Give every common run of two bidders that holds the name of one of them in the file of the other."""
    by_pair: dict[tuple[str, str], list[Naming]] = {}
    for place in lot.places:
        by_pair.setdefault((place.owner, place.named), []).append(place)
    for (owner, named), places in by_pair.items():
        if named not in windows.bidders:
            continue
        here, there = (windows.bidders.index(bidder) for bidder in (owner, named))
        key = windows.found.key
        common = np.intersect1d(key[windows.found.bidder == here], key[windows.found.bidder == there])
        if len(common) == 0:
            continue
        whole, other = texts.whole(lot.lot_id, [owner, named])
        nothing = Given(limits.min_run, np.empty(0, dtype=np.uint64))
        ready = [prepared(text.code, limits.min_run, common, nothing) for text in (whole, other)]
        runs = common_runs(ready[0], ready[1], limits.min_run)
        own_names = Names([name for name, bidder in lot.names.items() if bidder == owner], limits.min_name)
        for first, second, length in zip(*(part.tolist() for part in runs), strict=True):
            inside = [place for place in places if _is_inside(whole, place, first, length)]
            if inside and len(own_names.found(whole.code[first : first + length]).first) == 0:
                yield {
                    "unit": lot.lot_id,
                    "entities": SEPARATOR.join(sorted((owner, named))),
                    "value": float(length - len(letters(inside[0].name).code)),
                    "owner": owner,
                    "name": inside[0].name,
                    "place": whole.place(first),
                    "excerpt": whole.excerpt(first, length),
                    "named_place": other.place(second),
                    "named_excerpt": other.excerpt(second, length),
                }


def _is_inside(whole: WholeText, place: Naming, first: int, length: int) -> bool:
    at = whole.first[place.file_sha] + place.first
    return first <= at and at + len(letters(place.name).code) <= first + length


def _by_pair(found: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return the longest run of every two bidders, with the number of all of theirs."""
    runs = pd.DataFrame(found, columns=[name for name in _FACTS if name not in ("bidders", "blocks")])
    runs = runs.sort_values(["entities", "value", "owner", "place"], ascending=[True, False, True, True])
    runs["blocks"] = runs.groupby("entities")["entities"].transform("size")
    return [
        {str(name): fact for name, fact in row.items()}
        for row in runs.drop_duplicates("entities").to_dict("records")
    ]
