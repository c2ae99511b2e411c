"""A bidder's file names another bidder of the same lot.

Why it matters
    A bidder has no reason to name a rival in its bid, and should not even know of it. A rival's name or credit
    code remains when one hand wrote both bids, or when one bid was made from the other.

Looks innocent when
    - the other firm is a client, a supplier or a partner in the track record, in a contract or in an
      authorisation. Places near such words are left out and counted;
    - the two bid together as a joint venture, or one is a subcontractor of the other. Such pairs are left out;
    - the tender document names the firm. Names that stand in it are left out;
    - a notice or a list that both were given names all firms;
    - the name is part of a longer name of a third firm that is not looked for.

Blind spots
    Short forms, misspelt names and very short names. Names in pictures and scanned pages. Places near one of the
    words above. A firm whose name was never delivered.

Sources
    招标投标法实施条例 §40(4), (5) (abnormally identical files, files mixed into one another). A rival's name may be a
    trace of either. The articles do not name it, so this is an indicator and no presumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.texts.bid_texts import NEEDS as TEXTS
from detectors.kernels.texts.bid_texts import BidTexts
from detectors.kernels.texts.mentions import AUTHORS, TWO_NAMES, LotNamings, Naming, namings
from detectors.kernels.texts.texts import letters

DETECTOR = Detector(
    title="A bidder's file names another bidder of the lot",
    title_zh="投标文件中出现其他投标人的名称或代码",
    unit="lot",
    measures="places in one bidder's files that name the other, both ways, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-40-4", "REG-40-5", "ORDER87-37-4", "ORDER87-37-5"),
    evidence=("bid_files.file_hash", "bid_files.file_name"),
    says="In {value:.0f} place(s) (limit {min_places}) a file of one bidder names the other ({name}); {left_out}"
    " more stand near words such as track record or supplier and were left out. First place: {place}: {excerpt}",
    says_zh="一家投标人的文件中有 {value:.0f} 处（阈值 {min_places} 处）出现另一家投标人的名称或代码（{name}），另有 "
    "{left_out} 处因紧邻“业绩”“供应商”等字样未计入，属异常指标。首处：{place}：{excerpt}",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "name": "某某建设有限公司",
    "left_out": 0,
    "place": "technical.docx paragraph 31 第31段",
    "excerpt": "我方某某建设有限公司郑重承诺",
}

#: Near these words another firm is named for a reason (track record, client, supplier, partner).
REASONS = (
    "业绩",
    "类似项目",
    "类似工程",
    "案例",
    "中标通知",
    "中标公告",
    "发包人",
    "建设单位",
    "委托人",
    "客户",
    "供应商",
    "制造商",
    "生产厂家",
    "经销",
    "授权书",
    "分包",
    "联合体",
    "合作单位",
)

#: Letters shown before and after a name. They decide nothing.
SHOWN = 20


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_places: int = 1  # places that name the other bidder
    min_name: int = 6  # letters of the shortest name that is looked for
    before: int = 200  # letters before a name in which one of REASONS leaves the place out
    after: int = 60  # letters after it, likewise


SUBCONTRACTS = """
SELECT DISTINCT lot_id, contractor_id, subcontractor_id FROM core.subcontracts
ORDER BY lot_id, contractor_id, subcontractor_id
"""


NEEDS = (
    TEXTS[0],
    TWO_NAMES,
    Need(
        "no bidder with text known by name",
        "有投标文件文本的投标人名称均不明",
        f"SELECT lot_id AS unit FROM ({AUTHORS}) AS authors",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which a bidder with a known name filed a text, and a rival's name is known.

    One row for every two bidders of whom one names the other. One row with value 0 for a lot without any.
    """
    texts = BidTexts.of(engine)
    subcontracts = engine.run(SUBCONTRACTS).to_pandas()
    partners = {frozenset(row) for row in subcontracts.itertuples(index=False)}
    named = namings(texts, limits.min_name, before=limits.before, after=limits.after)
    rows = [row for lot in named for row in _judged(texts, lot, partners)]
    frame = pd.DataFrame(rows, columns=list(_FACTS)).astype(_FACTS)
    frame = frame.assign(
        flagged=frame["value"] >= limits.min_places,
    )
    return frame.sort_values(["unit", "entities"], ignore_index=True)


_FACTS = {
    "unit": "str",
    "entities": "str",
    "value": "float64",
    "bidders": "int64",
    "left_out": "int64",
    "owner": "str",
    "name": "str",
    "place": "str",
    "excerpt": "str",
}


def _judged(texts: BidTexts, lot: LotNamings, partners: set[frozenset[str]]) -> list[dict[str, object]]:
    places = pd.DataFrame(lot.places, columns=list(Naming._fields))
    pair = [sorted(row) for row in zip(places["owner"], places["named"], strict=True)]
    is_partner = np.array([frozenset([*two, lot.lot_id]) in partners for two in pair], dtype=bool)
    places = places.assign(
        entities=pd.Series([SEPARATOR.join(two) for two in pair], dtype="str"),
        is_left_out=pd.Series(
            [any(word in around for word in REASONS) for around in places["around"]], dtype="bool"
        ),
    )[~is_partner]
    clean: dict[str, object] = {
        "unit": lot.lot_id,
        "entities": None,
        "value": 0.0,
        "bidders": len(lot.bidders),
        "owner": "",
    }
    clean |= {"left_out": len(places), "name": "", "place": "", "excerpt": ""}
    rows: list[dict[str, object]] = []
    for entities, of_pair in places.groupby("entities", sort=True):
        counted = of_pair[~of_pair["is_left_out"]]
        if counted.empty:
            continue
        first = counted.sort_values(["owner", "file_sha", "first"]).iloc[0]
        (whole,) = texts.whole(lot.lot_id, [first["owner"]])
        at = whole.first[first["file_sha"]] + first["first"]
        start, end = whole.part(at)
        start, end = max(start, at - SHOWN), min(end, at + len(letters(first["name"]).code) + SHOWN)
        rows.append(
            clean
            | {"entities": entities, "value": float(len(counted)), "left_out": len(of_pair) - len(counted)}
            | {"owner": first["owner"], "name": first["name"]}
            | {"place": whole.place(at), "excerpt": whole.excerpt(start, end - start)}
        )
    return rows or [clean]
