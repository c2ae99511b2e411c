"""Whether what a release says fits together, so that a person learns what its publisher mixes up.

What is impossible is taken out and counted: a date outside of all procurement, a value of zero or less. What is only
strange stays as delivered, since nobody can say which of two facts is wrong: it is counted, with its first place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.intake.readers import processes
from pipelines.intake.readers.processes import Release

#: Kind -> what is told of it, in English and Chinese.
KINDS = {
    "date": ("a date that cannot be, left out", "日期不可能，按空值处理"),
    "value": ("a value of zero or less, which is no price", "金额为零或为负，不作价格使用"),
    "period": (
        "a tender period that ends before it starts: its end is left out, unless all bids came before it",
        "投标期截止早于开始；截止时间按空值处理，投标均早于截止的除外",
    ),
    "late bid": ("a bid after the deadline", "投标晚于截止时间"),
    "early award": ("an award before the deadline", "中标早于投标截止"),
    "early contract": ("a contract signed before its award", "合同签署早于中标"),
    "given up": (
        "an award that stands in a tender that was given up, so nobody wins",
        "项目已取消或失败，却有有效中标结果，不计中标人",
    ),
    "no supplier": ("an award that stands and names no supplier", "中标结果有效但无供应商"),
    "stranger": ("a supplier who never bid", "中标人未参加投标"),
    "no party": (
        "a supplier or tenderer who is none of the parties",
        "投标人或中标人不在主体名单（parties）中",
    ),
    "own buyer": ("a buyer who bids for or gets its own contract", "采购人同时为投标人或中标人"),
    "other value": (
        "an award of more than twice or less than half its bid",
        "中标金额超过投标报价两倍或不足一半",
    ),
    "grown": ("a contract of more than twice its award", "合同金额超过中标金额两倍"),
    "no award": ("a contract of an award that is not there", "合同所指的中标结果不存在"),
    "no lot": ("a lot that the tender does not have", "所指标段不在项目中"),
    "far apart": (
        "bids of one tender more than a thousandfold apart: are the units right?",
        "同一项目报价相差千倍以上，请核对单位",
    ),
    "currencies": ("an award in another currency than its bid", "中标与投标币种不同"),
    "direct": ("a direct award for which several bid", "直接采购却有多家投标"),
    "number": ("another number of tenderers than is stated", "投标人数与所载不符"),
    "status": (
        "a status that the standard does not know, read as none",
        "状态不在标准代码表中，按未注明处理",
    ),
}

_EARLIEST = date(1980, 1, 1)
_LATEST = date(2090, 1, 1)  # where a release does not say when it was made
_EVENT, _PLAN = timedelta(days=366), timedelta(days=3660)  # how far after its release a date may lie

_GIVEN_UP = frozenset({"cancelled", "canceled", "withdrawn", "unsuccessful", "revoked"})
_STATUSES = {
    "tender": _GIVEN_UP | {"planning", "planned", "active", "complete"},
    "bids": _GIVEN_UP
    | {"invited", "pending", "valid", "disqualified", "qualified", "not-qualified", "accepted", "rejected"}
    | {"excluded", "invalid"},
    "awards": _GIVEN_UP | {"pending", "active"},
    "contracts": _GIVEN_UP | {"pending", "active", "terminated"},
}

Finding = tuple[str, str]


class Findings:
    """Counts what does not fit, over the releases of a file."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def sift(self, release: Release, place: str) -> None:
        """Take out of the release what is impossible, and count this and what is strange."""
        facts = _Facts(release)
        for check in (_impossible, _strange_tender, _strange_awards, _strange_contracts):
            for kind, where in check(facts):
                self._counts[kind] += 1
                self._first.setdefault(kind, f"{place}, {where}")

    def notes(self) -> list[str]:
        """Return a line for each kind that was found, in the order of ``KINDS``."""
        return [
            f"内容不一致 / incoherent: {zh}，{self._counts[kind]:,} 处 / {english}: {self._counts[kind]:,},"
            f" first 首见 {self._first[kind]}"
            for kind, (english, zh) in KINDS.items()
            if self._counts[kind]
        ]


class _Facts:
    """The parts of a release, as lists of objects with their places."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.tender = _object(release.get("tender"))
        self.bids = _placed(_object(release.get("bids")).get("details"), "bids.details")
        self.awards = _placed(release.get("awards"), "awards")
        self.contracts = _placed(release.get("contracts"), "contracts")
        self.parties = {str(one["id"]) for _, one in _placed(release.get("parties"), "") if one.get("id")}
        self.tenderers = {id for _, bid in self.bids for id in _ids(bid, "tenderers")}
        self.deadline = _day(_object(self.tender.get("tenderPeriod")).get("endDate"))


def _impossible(facts: _Facts) -> Iterator[Finding]:
    made = _day(facts.release.get("date"))
    dated = [(bid, "date", place) for place, bid in facts.bids]
    dated += [(award, "date", place) for place, award in facts.awards]
    dated += [(contract, "dateSigned", place) for place, contract in facts.contracts]
    planned = [
        (_object(facts.tender.get(period)), name, f"tender.{period}")
        for period, names in (
            ("tenderPeriod", ("startDate", "endDate")),
            ("awardPeriod", ("startDate", "endDate")),
            ("bidOpening", ("date",)),
        )
        for name in names
    ]
    for spread, listed in ((_EVENT, dated), (_PLAN, planned)):
        for holder, name, place in listed:
            day, text = _day(holder.get(name)), str(holder.get(name) or "")
            latest = made + spread if made and made < _LATEST else _LATEST
            if text.startswith("0000-") or (day and not _EARLIEST <= day <= latest):
                holder[name] = None
                yield "date", f"{place}.{name} {text[:30]}"
    for place, element in (*facts.bids, *facts.awards, *facts.contracts):
        value = _object(element.get("value"))
        amount = _amount(element)
        if amount is not None and amount <= 0:
            yield "value", f"{place}.value"
            # A bid without a price would be no bid: its table says what becomes of it.
            if not place.startswith("bids"):
                value["amount"] = None
    period = _object(facts.tender.get("tenderPeriod"))
    start, end = _day(period.get("startDate")), _day(period.get("endDate"))
    if start and end and end < start:
        # Publishers often put down the day of publishing as the start: then the bids tell that the end is right.
        came = [day for _, bid in facts.bids if (day := _day(bid.get("date")))]
        wrong = "startDate" if came and max(came) <= end else "endDate"
        period[wrong] = None
        yield "period", f"tender.tenderPeriod.{wrong}"
    facts.deadline = _day(period.get("endDate"))


def _strange_tender(facts: _Facts) -> Iterator[Finding]:
    lots = [*_placed(facts.tender.get("lots"), "tender.lots")]
    known = {str(lot.get("id")) for _, lot in lots}
    buyers = {
        str(_object(one).get("id") or "")
        for one in (facts.release.get("buyer"), facts.tender.get("procuringEntity"))
    }
    for place, bid in facts.bids:
        if facts.deadline and (day := _day(bid.get("date"))) and day > facts.deadline:
            yield "late bid", place
    for place, element in (*facts.bids, *facts.awards):
        if known and set(map(str, element.get("relatedLots") or [])) - known:
            yield "no lot", place
        named = _ids(element, "suppliers") | _ids(element, "tenderers")
        if named & (buyers - {""}):
            yield "own buyer", place
        if facts.parties and named - facts.parties:
            yield "no party", place
    for name, listed in (
        ("tender", [("tender", facts.tender), *lots]),
        ("bids", facts.bids),
        ("awards", facts.awards),
        ("contracts", facts.contracts),
    ):
        for place, element in listed:
            status = element.get("status")
            if isinstance(status, str) and status.strip() and status.strip().lower() not in _STATUSES[name]:
                yield "status", f"{place} {status[:30]}"
    amounts = [amount for _, bid in facts.bids if (amount := _amount(bid)) and amount > 0]
    if amounts and max(amounts) > 1000 * min(amounts):
        yield "far apart", "bids"
    if facts.tender.get("procurementMethod") == "direct" and len(facts.tenderers) > 1:
        yield "direct", "tender"
    stated = str(facts.tender.get("numberOfTenderers") or "")
    if stated.isdigit() and facts.tenderers and int(stated) != len(facts.tenderers):
        yield "number", "tender.numberOfTenderers"


def _strange_awards(facts: _Facts) -> Iterator[Finding]:
    is_given_up = str(facts.tender.get("status")).lower() in _GIVEN_UP
    for place, award in facts.awards:
        if str(award.get("status")).lower() in _GIVEN_UP:
            continue
        suppliers = _ids(award, "suppliers")
        if is_given_up:
            yield "given up", place
        if not award.get("suppliers"):
            yield "no supplier", place
        day = _day(award.get("date"))
        if day and facts.deadline and day < facts.deadline:
            yield "early award", place
        if suppliers and facts.tenderers and not suppliers & facts.tenderers:
            yield "stranger", place
        named = set(map(str, award.get("relatedBids") or []))
        bids = [
            bid
            for _, bid in facts.bids
            if (str(bid.get("id")) in named if named else suppliers & _ids(bid, "tenderers"))
        ]
        amount, offers = _amount(award), [offer for bid in bids if (offer := _amount(bid)) and offer > 0]
        if amount and offers and not any(offer / 2 <= amount <= offer * 2 for offer in offers):
            yield "other value", place
        currencies = {_currency(bid) for bid in bids} - {None}
        if currencies and _currency(award) and _currency(award) not in currencies:
            yield "currencies", place


def _strange_contracts(facts: _Facts) -> Iterator[Finding]:
    awards = {str(award.get("id")): award for _, award in facts.awards}
    for place, contract in facts.contracts:
        award = awards.get(str(contract.get("awardID")))
        if award is None:
            yield "no award", place
            continue
        signed, awarded = _day(contract.get("dateSigned")), _day(award.get("date"))
        if signed and awarded and signed < awarded:
            yield "early contract", place
        amount, won = _amount(contract), _amount(award)
        if amount and won and won > 0 and amount > 2 * won and _currency(contract) == _currency(award):
            yield "grown", place


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _placed(value: Any, array: str) -> list[tuple[str, dict[str, Any]]]:
    found = enumerate(value) if isinstance(value, list) else ()
    return [(f"{array}[{at}]", one) for at, one in found if isinstance(one, dict)]


def _ids(element: dict[str, Any], name: str) -> set[str]:
    return {str(one["id"]) for one in element.get(name) or [] if isinstance(one, dict) and one.get("id")}


def _day(text: Any) -> date | None:
    moment = processes.moment(text)
    return moment.date() if moment else None


def _amount(element: dict[str, Any]) -> Decimal | None:
    try:
        amount = Decimal(str(_object(element.get("value")).get("amount")))
    except InvalidOperation:
        return None
    # No money has forty places, and arithmetic on a thousand of them would fail.
    return amount if amount.is_finite() and abs(amount.adjusted()) < 40 else None


def _currency(element: dict[str, Any]) -> Any:
    return _object(element.get("value")).get("currency")
