"""A draw as it is published: the list 双随机抽查名单, and the folder from which anybody can replay it."""

from __future__ import annotations

import hashlib
import math
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from pipelines import times
from pipelines.casework import risk_classes
from pipelines.casework.clocks import deadlines
from pipelines.casework.clocks.deadlines import Deadline
from pipelines.casework.clocks.due_dates import Stage
from pipelines.casework.draws import draws, inspections, plans, pools
from pipelines.store import Store
from reports.handed_out import replay_draw
from reports.office_sheet import Sheet, csv_bytes, xlsx_bytes

TITLE_ZH, MANUAL_ZH, REPLACED_ZH = "双随机抽查名单", "人工增加名单", "人员更换记录"
NOTE_ZH = "抽取过程可用 replay_draw.py 复算；人工增加的对象另列，未经随机抽取。"
ARMS_ZH: Mapping[str, str] = {
    "risk": "分类抽取",
    "random": "纯随机抽取",
    "both": "分类抽取、纯随机抽取",
    "manual": "人工增加",
}

_HEADINGS_BEFORE_OFFICERS = (
    "抽查计划编号",
    "批次",
    "抽查领域",
    "抽查事项",
    "检查对象名称",
    "统一社会信用代码",
    "对象类型",
    "信用/风险等级",
    "抽取比例",
    "抽中概率",
    "抽取时间",
    "随机种子(哈希)",
    "名录库校验值",
)
_HEADINGS_AFTER_OFFICERS = (
    "回避说明",
    "检查方式",
    "检查期限",
    "检查结果",
    "公示时间",
    "公示渠道",
    "是否超期",
)

_MARKET_PARTIES = frozenset({"firm", "agency", "buyer"})
_OWN_PREFIX = "name:"  # of the id of a party that has no code


@dataclass(frozen=True, kw_only=True)
class ListedObject:
    """One object on the list of a draw.

    Attributes:
        facts: of the object, as the pool had them when it was drawn.
        arm: a key of `ARMS_ZH`.
        carried_from: the earlier draw of the period whose result counts.
        stratum, rate, chance: its classes, the rate of these, and the chance that it was drawn; exact fractions.
        reason, actor: why and by whom it was put on the list.
        officers: id, name and number of the certificate (执法证号) of each.
        conflicts: officers who had to stay away from it.
        outcome, finished_at: of the last result.
        channel, withheld, published_at: of its publication, see `inspections.note_publication`.
        deadline: of the publication.
    """

    object_id: str
    facts: Mapping[str, str]
    arm: str
    carried_from: str | None
    stratum: str
    rate: str
    chance: str
    reason: str
    actor: str
    officers: tuple[tuple[str, str, str], ...]
    conflicts: int
    outcome: str | None
    finished_at: str | None
    channel: str
    withheld: str
    published_at: str | None
    deadline: Deadline | None

    @property
    def late_zh(self) -> str:
        """Say whether the publication is late (是否超期)."""
        if self.deadline is None:
            return ""
        return "是" if self.deadline.stage in (Stage.OVERDUE, Stage.MET_LATE) else "否"


def listed_objects(store: Store, id: str, as_of: date) -> list[ListedObject]:
    """Return the objects on the list of a draw, those added by hand last.

    Args:
        store: the control store.
        id: of a draw that was drawn.
        as_of: the day from which deadlines are looked at.
    """
    con = store.con
    plan = plans.require(con, id, "drawn")
    kept = draws.files(con, id)
    objects = {row["object_id"]: row for row in replay_draw.read_table("objects.csv", kept["objects.csv"])}
    now = {member["object_id"]: pools.published(member) for member in pools.standing(con, pools.OBJECTS)}
    drawn = {row["object_id"]: row for row in replay_draw.read_table("drawn.csv", kept["drawn.csv"])}
    barred = replay_draw.barred(replay_draw.read_table("conflicts.csv", kept["conflicts.csv"]))
    random_rate, _ = replay_draw.random_rate(plan, len(objects))
    clocks = {
        each.object: each
        for each in deadlines.all_deadlines(store, as_of)
        if each.object.startswith(inspections.clock_name(id, ""))
    }
    rows = store.rows(
        """
        SELECT p.*, r.outcome, r.finished_at, u.channel, u.withheld, u.published_at
        FROM draw_pick AS p
        LEFT JOIN draw_result AS r ON r.number = (
            SELECT max(number) FROM draw_result WHERE draw = p.draw AND object_id = p.object_id)
        LEFT JOIN draw_publication AS u ON u.result = r.number
        WHERE p.draw = ? ORDER BY p.arm = 'manual', p.object_id
        """,
        id,
    )
    teams = _teams(con, id)
    found = []
    for row in rows:
        object_id = row["object_id"]
        picked = drawn.get(object_id)
        found.append(
            ListedObject(
                object_id=object_id,
                facts=objects.get(object_id) or now.get(object_id) or _facts_once(con, object_id),
                arm=row["arm"],
                carried_from=row["carried_from"],
                stratum=picked["stratum"] if picked else "",
                rate=picked["rate"] if picked else "",
                chance=_chance(picked, random_rate) if picked else "",
                reason=row["reason"],
                actor=row["actor"],
                officers=teams.get(object_id, ()),
                conflicts=len(barred.get(object_id, ())),
                outcome=row["outcome"],
                finished_at=row["finished_at"],
                channel=row["channel"] or "",
                withheld=row["withheld"] or "",
                published_at=row["published_at"],
                deadline=clocks.get(inspections.clock_name(id, object_id)),
            )
        )
    return found


def sheets(store: Store, id: str, as_of: date) -> list[Sheet]:
    """Return the list, the objects added by hand, and the officers replaced, as sheets."""
    plan = plans.require(store.con, id, "drawn")
    rows = listed_objects(store, id, as_of)
    team = max([plan["officers_per_object"], *(len(row.officers) for row in rows)])
    of_draw = _of_draw(store.con, id)
    headings = (
        *_HEADINGS_BEFORE_OFFICERS,
        *(f"{what}{n}" for n in range(1, team + 1) for what in ("检查人员", "执法证号")),
        *_HEADINGS_AFTER_OFFICERS,
    )
    lines = [(row, _line(row, plan, of_draw, team)) for row in rows]
    replaced = store.rows(
        "SELECT object_id, officer_id, until, until_reason FROM draw_officer"
        " WHERE draw = ? AND until IS NOT NULL ORDER BY number",
        id,
    )
    return [
        Sheet(
            TITLE_ZH,
            (*headings, "抽取方式"),
            [[*line, ARMS_ZH[row.arm]] for row, line in lines if row.arm != "manual"],
            NOTE_ZH,
        ),
        Sheet(
            MANUAL_ZH,
            (*headings, "增加理由", "增加人"),
            [[*line, row.reason, row.actor] for row, line in lines if row.arm == "manual"],
            NOTE_ZH,
        ),
        Sheet(
            REPLACED_ZH,
            ("检查对象编号", "被更换人员编号", "更换时间", "更换理由"),
            [
                [r["object_id"], r["officer_id"], times.local_text(r["until"]), r["until_reason"]]
                for r in replaced
            ],
            NOTE_ZH,
        ),
    ]


def _of_draw(con: sqlite3.Connection, id: str) -> tuple[str, str, str]:
    """Return what every line says of the draw: when it was, the hash of its seed, and of its pool of objects."""
    ((run_at, seed_sha256),) = con.execute(
        "SELECT r.at, c.seed_sha256 FROM draw_run AS r JOIN draw_commitment AS c ON c.draw = r.draw WHERE r.draw = ?",
        (id,),
    ).fetchall()
    objects = draws.files(con, id)["objects.csv"]
    return times.local_text(run_at), seed_sha256, hashlib.sha256(objects).hexdigest()


def _line(row: ListedObject, plan: Mapping[str, Any], of_draw: tuple[str, str, str], team: int) -> list[str]:
    facts = row.facts
    pairs = [value for _, name, certificate in row.officers for value in (name, certificate)]
    has_code = facts["kind"] in _MARKET_PARTIES and not row.object_id.startswith(_OWN_PREFIX)
    return [
        plan["draw"],
        plan["batch"],
        facts["field"],
        plan["item"],
        facts["name"],
        row.object_id if has_code else "",
        pools.KINDS_ZH.get(facts["kind"], facts["kind"]),
        classes_zh(facts),
        percent(row.rate),
        percent(row.chance),
        *of_draw,
        *pairs,
        *[""] * (2 * team - len(pairs)),
        f"{row.conflicts} 人回避" if row.conflicts else "",
        "、".join(plan["methods"]),
        plan["due_on"],
        outcome_zh(row),
        times.local_text(row.published_at),
        row.channel or (row.withheld and f"不公示：{row.withheld}"),
        row.late_zh,
    ]


def export(store: Store, id: str, as_of: date) -> dict[str, bytes]:
    """Return the files to publish: before the draw the commitment and the pools, after it everything.

    Raises:
        ValueError: nothing was committed to yet.
    """
    con = store.con
    state = plans.states(con).get(id, "")
    contents = draws.files(con, id)
    if "commitment.json" not in contents:
        plans.require(con, id, "committed", "drawn")
    if state == "drawn":
        ((seed, beacon),) = con.execute(
            "SELECT seed, beacon FROM draw_commitment AS c JOIN draw_run AS r ON r.draw = c.draw WHERE c.draw = ?",
            (id,),
        ).fetchall()
        contents["seed.hex"] = f"{seed}\n".encode()
        if beacon:
            contents["beacon.txt"] = f"{beacon}\n".encode()
        lists = sheets(store, id, as_of)
        contents[f"{TITLE_ZH}.xlsx"] = xlsx_bytes(lists)
        contents |= {f"{sheet.title}.csv": csv_bytes(sheet) for sheet in lists}
    contents["replay_draw.py"] = Path(replay_draw.__file__).read_bytes()
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(contents.items())]
    return contents | {"SHA256SUMS": "".join(lines).encode()}


def write(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder that is new or empty.

    Raises:
        ValueError: something lies there.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def classes_zh(facts: Mapping[str, str]) -> str:
    """Return the classes of an object, as they are written in Chinese."""
    return "/".join(
        risk_classes.name_zh(facts[name]) for name in ("credit_class", "risk_class") if facts[name]
    )


def outcome_zh(row: ListedObject) -> str:
    """Return what was found, or where the result stands."""
    if row.carried_from:
        return f"本期已查，见 {row.carried_from}"
    return inspections.OUTCOMES_ZH[row.outcome] if row.outcome else ""


def percent(text: str) -> str:
    """Return an exact fraction as a percentage of at most four decimals; ``约`` marks one that is rounded."""
    if not text:
        return ""
    share = Fraction(text) * 100
    shown = f"{float(share):.4f}".rstrip("0").rstrip(".")
    return f"{shown}%" if Fraction(shown) == share else f"约{shown}%"


def estimate_zh(estimate: inspections.ErrorRateEstimate) -> str:
    """Return the estimate of the error rate in a sentence, in Chinese."""
    if not estimate.judged:
        return f"纯随机抽取 {estimate.drawn} 个对象，尚无可用结果。"
    share = "" if math.isnan(estimate.share) else f"问题发现率 {estimate.share:.1%}，"
    return (
        f"纯随机抽取 {estimate.drawn} 个对象，已有结果 {estimate.judged} 个，发现问题 {estimate.found} 个；{share}"
        f"{estimate.level:.0%} 置信区间 {estimate.low:.1%} 至 {estimate.high:.1%}（仅用纯随机抽取的结果）。"
    )


def _teams(con: sqlite3.Connection, id: str) -> dict[str, tuple[tuple[str, str, str], ...]]:
    frozen = {
        o["officer_id"]: o
        for o in replay_draw.read_table("officers.csv", draws.files(con, id)["officers.csv"])
    }
    now = {o["officer_id"]: pools.published(o) for o in pools.standing(con, pools.OFFICERS)}
    rows = con.execute(
        "SELECT object_id, officer_id FROM draw_officer WHERE draw = ? AND until IS NULL ORDER BY number",
        (id,),
    ).fetchall()
    teams: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for row in rows:
        officer: Mapping[str, Any] = frozen.get(row["officer_id"]) or now.get(row["officer_id"]) or {}
        member = (
            row["officer_id"],
            officer.get("name", row["officer_id"]),
            officer.get("certificate_no", ""),
        )
        teams[row["object_id"]] = (*teams.get(row["object_id"], ()), member)
    return teams


def _facts_once(con: sqlite3.Connection, object_id: str) -> Mapping[str, str]:
    """Return the last facts of an object that has left the pool since."""
    last = pools.history(con, pools.OBJECTS, object_id)[-1]
    return pools.published({name: str(last[name]) for name in pools.OBJECTS.columns})


def _chance(picked: Mapping[str, str], random_rate: Fraction) -> str:
    """Return the chance that at least one of both draws hit an object, as an exact fraction."""
    risk = Fraction(0) if picked["carried_from"] else Fraction(picked["rate"])
    return str(1 - (1 - risk) * (1 - random_rate))
