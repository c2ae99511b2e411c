"""What people do with an entry of the watch list or the blacklist: propose, approve, review, repair, revoke."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.casework.acts import Act
from pipelines.casework.watchlist import register, sheets
from pipelines.casework.watchlist.proposals import SUBJECTS_ZH, Proposal
from pipelines.casework.watchlist.register import STATES_ZH, ListEntry
from pipelines.commands.options import (
    ACTING,
    DAY,
    ActorOption,
    HomeOption,
    KeyOption,
    LangOption,
    ReasonOption,
    act_by,
    choices,
)
from pipelines.commands.output import err, out
from pipelines.commands.texts import Both, Lang, word
from pipelines.store import opened

PROPOSED = Both(
    "下一步，由另一经办人：bidwatch watchlist approve {id}；或撤回：bidwatch watchlist revoke {id} --reason 理由",
    "Next, by somebody else: bidwatch watchlist approve {id};"
    " or drop it: bidwatch watchlist revoke {id} --reason TEXT",
)
STANDS = Both("{id} {state}。{ways}", "{id} {state}. {ways}")
WATCHED = Both(
    "至 {until}，{review} 复评。下一步：bidwatch watchlist review {id}；或 revoke {id}",
    "Until {until}, review on {review}. Next: bidwatch watchlist review {id}; or revoke {id}",
)
BANNED = Both(
    "至 {until}，{repair} 起可修复。下一步：bidwatch watchlist repair {id}；或 revoke {id}",
    "Until {until}, repair from {repair} on. Next: bidwatch watchlist repair {id}; or revoke {id}",
)
REMOVED = Both("标记已停止，历史保留。", "Its flags have stopped; its history stays.")
STOPPING = Both(
    "标记自下一夜起停止，并在夜间报告中列明：bidwatch nightly",
    "Its flags stop with the next night, which says so: bidwatch nightly.",
)

steps_app = typer.Typer()

EntryId = Annotated[
    str, typer.Argument(metavar="ENTRY", help="Id of the entry: ZD… watch list, HM… blacklist.")
]
Subject = Annotated[
    str,
    typer.Argument(
        metavar="SUBJECT", help="Party id of a firm (its code), id of a project, token of a person."
    ),
]
KindOption = Annotated[str, typer.Option("--kind", help=choices(SUBJECTS_ZH))]
NameOption = Annotated[str, typer.Option("--name", help="Its name; of a person masked, 张*.")]
MaskedOption = Annotated[str, typer.Option("--masked-id", help="Of a person: 410***********1234.")]
BasisOption = Annotated[
    str, typer.Option("--basis", help="Instrument and article, or minute of the meeting (依据).")
]
RelatedOption = Annotated[str, typer.Option("--related", help="Related parties (关联对象).")]
RuleOption = Annotated[str, typer.Option("--rule", help="Detector or case that led to it (触发规则).")]
DocumentOption = Annotated[str, typer.Option("--document", help="文号 of the document.")]


@steps_app.command()
def propose(
    subject: Subject,
    name: NameOption,
    reason: ReasonOption,
    basis: BasisOption,
    review_on: Annotated[
        datetime, typer.Option("--review", formats=DAY, help="When to look again (复评日期).")
    ],
    ends_on: Annotated[datetime, typer.Option("--until", formats=DAY, help="Last day (到期日期).")],
    kind: KindOption = "firm",
    starts_on: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="First day. Default: today.")
    ] = None,
    rule: RuleOption = "",
    risk: Annotated[str, typer.Option(help="Risk class: high, mid, low.")] = "",
    measures: Annotated[str, typer.Option(help="What is done (关注措施).")] = "",
    related: RelatedOption = "",
    masked_id: MaskedOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Propose a subject for the watch list: the office's own attention, no sanction, not public."""
    entry = Proposal(
        list="watch",
        subject_kind=kind,
        subject_id=subject,
        name=name,
        reason=reason,
        basis=basis,
        starts_on=_day(starts_on),
        ends_on=ends_on.date(),
        review_on=review_on.date(),
        rule=rule,
        risk_class=risk,
        measures=measures,
        related=related,
        shown_code=masked_id,
    )
    _propose(entry, home, act_by(actor, reason, key), lang)


@steps_app.command()
def ban(
    subject: Subject,
    name: NameOption,
    reason: ReasonOption,
    basis: BasisOption,
    document: DocumentOption,
    authority: Annotated[str, typer.Option(help="Who decided.")],
    decided_on: Annotated[datetime, typer.Option("--decided", formats=DAY, help="Date of the document.")],
    severity: Annotated[str, typer.Option("--class", help="minor 轻微; general 一般; serious 严重.")],
    starts_on: Annotated[datetime, typer.Option("--from", formats=DAY, help="First day of the restriction.")],
    ends_on: Annotated[datetime, typer.Option("--until", formats=DAY, help="Last day of the restriction.")],
    bidding: Annotated[
        bool, typer.Option("--bars-bidding/--other-sanction", help="Whether the decision bars from bidding.")
    ],
    kind: KindOption = "firm",
    rule: RuleOption = "",
    related: RelatedOption = "",
    masked_id: MaskedOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Propose a subject for the blacklist: only by a decision with its number."""
    entry = Proposal(
        list="black",
        subject_kind=kind,
        subject_id=subject,
        name=name,
        reason=reason,
        basis=basis,
        starts_on=starts_on.date(),
        ends_on=ends_on.date(),
        rule=rule,
        related=related,
        shown_code=masked_id,
        document_no=document,
        authority=authority,
        decided_on=decided_on.date(),
        severity=severity,
        is_bidding_ban=bidding,
    )
    _propose(entry, home, act_by(actor, reason, key), lang)


@steps_app.command()
def approve(
    id: EntryId,
    reason: ReasonOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Put a proposed entry on its list; somebody else than who proposed it."""
    with opened(settings.installed(home).control) as store:
        register.approve(store, act_by(actor, reason, key), id)
        say_next(register.entries(store.con, id)[0], lang)


@steps_app.command()
def review(
    id: EntryId,
    reason: ReasonOption,
    review_on: Annotated[datetime, typer.Option("--review", formats=DAY, help="When to look again.")],
    ends_on: Annotated[datetime, typer.Option("--until", formats=DAY, help="Last day.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Keep a watch entry after its review. To end it: revoke."""
    with opened(settings.installed(home).control) as store:
        register.review(store, act_by(actor, reason, key), id, review_on.date(), ends_on.date())
        say_next(register.entries(store.con, id)[0], lang)


@steps_app.command()
def repair(
    id: EntryId,
    reason: ReasonOption,
    document: DocumentOption,
    authority: Annotated[str, typer.Option(help="Who repairs: who decided (谁认定、谁修复).")],
    duties: Annotated[
        bool, typer.Option("--duties-done", help="The duties of the decision are done (义务已履行).")
    ] = False,
    promise: Annotated[
        bool, typer.Option("--promise-made", help="The public promise was made (已作出信用承诺).")
    ] = False,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """End a blacklist entry by credit repair (信用修复)."""
    met = frozenset(need for need, is_met in (("duties", duties), ("promise", promise)) if is_met)
    with opened(settings.installed(home).control) as store:
        act = act_by(actor, reason, key)
        register.repair(store, act, id, document_no=document, authority=authority, met=met)
        say_next(register.entries(store.con, id)[0], lang)


@steps_app.command()
def revoke(
    id: EntryId,
    reason: ReasonOption,
    document: DocumentOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """End an entry that should not stand, or drop a proposal; a blacklist entry needs the annulling document."""
    with opened(settings.installed(home).control) as store:
        register.revoke(store, act_by(actor, reason, key), id, document)
        say_next(register.entries(store.con, id)[0], lang)


def _propose(entry: Proposal, home: HomeOption, act: Act, lang: Lang) -> None:
    with opened(settings.installed(home).control) as store:
        id = register.propose(store, act, entry)
    out.print(id)
    err.print(PROPOSED.in_(lang).format(id=id), soft_wrap=True)


def say_next(entry: ListEntry, lang: Lang) -> None:
    """Say where an entry stands and what may come next."""
    match entry.state:
        case "proposed":
            ways = PROPOSED.in_(lang).format(id=entry.id)
        case "listed" if entry.facts["list"] == "watch":
            ways = WATCHED.in_(lang).format(id=entry.id, until=entry.ends_on, review=entry.review_on)
        case "listed":
            ways = BANNED.in_(lang).format(id=entry.id, until=entry.ends_on, repair=_repairable(entry))
        case "removed":
            ways = REMOVED.in_(lang)
        case _:
            ways = STOPPING.in_(lang)
    state = word(STATES_ZH, entry.state, lang)
    err.print(STANDS.in_(lang).format(id=entry.id, state=state, ways=ways), soft_wrap=True)


def _repairable(entry: ListEntry) -> date:
    return sheets.dishonesty_class(entry).repairable_on(date.fromisoformat(str(entry.facts["decided_on"])))


def _day(given: datetime | None) -> date:
    return given.date() if given else times.today()
