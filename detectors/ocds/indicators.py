"""The eleven red-flag indicators of OCDS Cardinal, and how usual each flag is among its like.

The numbers are those Cardinal gives for the same compiled releases and settings: inclusive fences,
type-8 quartiles, the same exclusions. Four things differ, so that a number can be repeated and trusted:

- nothing depends on threads, or on which currency is seen first: without the setting ``currency`` a
  process is judged in the currency of its own bids, among processes in that currency;
- dates are compared as moments, not as text, and only where both say as much (time zone, time);
- a price of zero or below is no winning price (Cardinal divides by it);
- what could not be computed is counted by its reason: no flag is not the same as nothing found.

Cardinal judges no process with several active awards and no joint bid or award. Where there are lots, or bids or
awards of several organisations, every competition is judged once more under the group ``Lot``: each lot is one, each
process without lots is one, a consortium is one tenderer, and who belongs to the winner is nobody's rival of it. The
other groups stay what Cardinal has.

Beside every flag stands the same measure inside a reference class (class of goods, band of bidders,
currency), widened until it holds enough other units. The currency is never dropped. There, a fence
whose quartiles are equal flags nobody.

Sources
    open-contracting/cardinal-rs, docs/cli/indicators/R/*.md and src/indicators/*.rs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from detectors.interface import Engine
from detectors.ocds.facts import Facts
from detectors.ocds.fences import Flags, Rule, Texts
from detectors.ocds.reasons import TITLES
from detectors.ocds.verdicts import Assessment, Units, Verdicts

_DAY = 86_400_000_000  # microseconds

Reasons = list[tuple[pd.Series, str]]


@dataclass(frozen=True)
class Limits:
    """The settings of the indicators. A threshold of None: a fence computed from the data.

    Attributes:
        codes: the indicators to compute.
        currency: compare only prices in this currency.
        price_comparison_procurement_methods: procurementMethodDetails in which prices compete, for
            R024, R028, R036 and R058; empty: all but the next.
        no_price_comparison_procurement_methods: those in which prices do not compete.
        exclusions_procurement_method_details: processes left out of everything.
        r003_threshold: whole days; a shorter period is flagged.
        r003_procurement_methods: procurementMethod to judge; empty: all.
        r003_procurement_method_details: procurementMethodDetails and whole days, in place of the
            threshold.
        r018_procurement_methods: procurementMethod to judge; empty: all.
        r024_threshold, r058_threshold: share of the winning price.
        r025_percentile: 0 to 100, of the numbers of bids.
        r025_threshold: won share of the bids.
        r035_threshold: other tenderers disqualified; 1 at least.
        r038_threshold: disqualified share of the submitted bids.
        r038_minimum_submitted_bids: of a tenderer.
        r038_minimum_contracting_processes: of a buyer or procuring entity. Cardinal compares the number
            of submitted bids with it, and its published example holds only so.
        r048_digits: leading characters of an item class that count.
        r048_threshold: distinct classes.
        r048_minimum_contracting_processes: of a supplier.
        reference_units: other units that a reference class must hold.
    """

    codes: tuple[str, ...] = tuple(TITLES)
    currency: str | None = None
    price_comparison_procurement_methods: tuple[str, ...] = ()
    no_price_comparison_procurement_methods: tuple[str, ...] = ()
    exclusions_procurement_method_details: tuple[str, ...] = ()
    r003_threshold: int = 15
    r003_procurement_methods: tuple[str, ...] = ()
    r003_procurement_method_details: tuple[tuple[str, int], ...] = ()
    r018_procurement_methods: tuple[str, ...] = ("open", "selective")
    r024_threshold: float | None = None
    r025_percentile: int = 75
    r025_threshold: float | None = None
    r035_threshold: int = 1
    r038_threshold: float | None = None
    r038_minimum_submitted_bids: int = 2
    r038_minimum_contracting_processes: int = 2
    r048_digits: int = 2
    r048_threshold: int | None = None
    r048_minimum_contracting_processes: int = 20
    r058_threshold: float | None = None
    reference_units: int = 200


def assess(engine: Engine, limits: Limits) -> Assessment:
    """Compute the indicators over schema ``ocds``, see `ocds_facts`."""
    facts = Facts(engine, limits.currency, limits.exclusions_procurement_method_details)
    verdicts = Verdicts(limits.reference_units)
    processes = facts.processes()
    for code, measure in _PROCESS_INDICATORS.items():
        if code in limits.codes:
            flagged = verdicts.judge(measure(processes, limits))
            if code in _PARTS:
                verdicts.flag_parts(code, _parts_in(code, processes[flagged], facts), _PARTS[code])
    if processes["is_divided"].any():
        excluded = limits.exclusions_procurement_method_details
        competitions = Facts(engine, limits.currency, excluded, "lots").processes()
        for code in _COMPETITION_INDICATORS:
            if code in limits.codes:
                verdicts.judge(replace(_PROCESS_INDICATORS[code](competitions, limits), group="Lot"))
    for code, measure_all in _ORGANISATION_INDICATORS.items():
        if code in limits.codes:
            for units in measure_all(facts, limits):
                verdicts.judge(units)
    return verdicts.assessment()


def _short_period(p: pd.DataFrame, limits: Limits) -> Units:
    """R003: the submission period has fewer whole days than the threshold."""
    days = np.trunc((p["ends_at"] - p["starts_at"]) / _DAY)
    own = dict(limits.r003_procurement_method_details)
    least = p["details"].astype("object").map(own).astype("float64").fillna(limits.r003_threshold)
    reasons = [
        *_excluded(p, limits),
        *_not_chosen(p, limits.r003_procurement_methods),
        (p["start_kind"].isna() | p["end_kind"].isna(), "NO_PERIOD"),
        ((p["start_kind"] != "zoned") | (p["end_kind"] != "zoned"), "PERIOD_UNREADABLE"),
    ]
    return _process_rule("R003", p, reasons, days < least, is_banded=False)


def _single_bid(p: pd.DataFrame, limits: Limits) -> Units:
    """R018: exactly one tenderer under a competitive method."""
    reasons = [
        *_excluded(p, limits),
        *_not_chosen(p, limits.r018_procurement_methods),
        (p["tenderers"].isna(), "NO_NUMBER_OF_TENDERERS"),
    ]
    return _process_rule("R018", p, reasons, p["tenderers"] == 1, is_banded=False)


def _close_price(p: pd.DataFrame, limits: Limits) -> Units:
    """R024: the gap between the winning and the next price is a low outlier."""
    return _price_gap("R024", p, limits, Rule("low", limits.r024_threshold))


def _heavy_discount(p: pd.DataFrame, limits: Limits) -> Units:
    """R058: the gap between the winning and the next price is a high outlier."""
    return _price_gap("R058", p, limits, Rule("high", limits.r058_threshold))


def _price_gap(code: str, p: pd.DataFrame, limits: Limits, rule: Rule) -> Units:
    """Measure (next - winning) / winning price, where one final award went to the lowest price."""
    winning, second = p["winning_price"], p["second_price"]
    gap = (second - winning) / winning.where(winning > 0)
    reasons = [
        *_excluded(p, limits),
        *_not_compared(p, limits),
        *_unsettled(p),
        (~(p["active"] > 0), "NO_ACTIVE_AWARD"),
        (p["active"] > 1, "SEVERAL_AWARDS"),
        (~(p["winners"] > 0), "NO_SUPPLIER"),
        ((p["suppliers"] != 1) | p["supplier_id"].isna(), "SUPPLIERS_NOT_ONE"),
        (p["gap_currencies"] > 1, "SEVERAL_CURRENCIES"),
        (winning.isna(), "NO_WINNING_PRICE"),
        (second.isna(), "NO_SECOND_PRICE"),
        (second < winning, "WINNER_NOT_LOWEST"),
        (winning <= 0, "PRICE_NOT_POSITIVE"),
        (gap == np.inf, "RATIO_TOO_LARGE"),
    ]
    return Units(
        code,
        "OCID",
        _keys(p).assign(currency=p["gap_currency"]),
        _first(reasons),
        gap.to_numpy(dtype=np.float64),
        rule=rule,
        is_by_currency=True,
        is_banded=True,
    )


def _identical_prices(p: pd.DataFrame, limits: Limits) -> Units:
    """R028: different tenderers submitted the same price in the same currency."""
    reasons = [
        *_excluded(p, limits),
        *_not_compared(p, limits),
        (~p["has_bids"], "NO_BIDS"),
        (~(p["priced_rivals"] >= 2), "FEWER_THAN_TWO_PRICES"),
    ]
    return _process_rule("R028", p, reasons, p["most_at_one_price"] >= 2)


def _late_bid(p: pd.DataFrame, limits: Limits) -> Units:
    """R030: a valid bid of an awarded supplier is dated after the deadline."""
    is_late = p["late_bids"] > 0
    reasons = [
        *_excluded(p, limits),
        (~p["has_bids"], "NO_BIDS"),
        (p["end_kind"].isna() | (p["end_kind"] == "unreadable"), "NO_DEADLINE"),
        (~(p["active"] > 0), "NO_ACTIVE_AWARD"),
        (~(p["winners"] > 0), "NO_SUPPLIER"),
        (~(p["winning_bids"] > 0), "NO_WINNING_BID"),
        ((p["undated_bids"] > 0) & ~is_late, "BID_UNDATED"),
    ]
    return _process_rule("R030", p, reasons, is_late)


def _others_disqualified(p: pd.DataFrame, limits: Limits) -> Units:
    """R035: the only tenderer with valid bids is the supplier of all active awards; others were disqualified."""
    reasons = [
        *_excluded(p, limits),
        *_unsettled(p),
        (~(p["active"] > 0), "NO_ACTIVE_AWARD"),
        (~(p["winners"] > 0), "NO_SUPPLIER"),
        (p["winners"] > 1, "SEVERAL_WINNERS"),
        (~(p["valid_bidders"] > 0), "NO_VALID_BIDDER"),
    ]
    is_winner_alone = (p["valid_bidders"] == 1) & (
        p["valid_bidder_id"].astype("object") == p["winner_id"].astype("object")
    )
    others = p["others_disqualified"]
    return _process_rule(
        "R035", p, reasons, is_winner_alone & (others >= max(limits.r035_threshold, 1)), others
    )


def _lowest_disqualified(p: pd.DataFrame, limits: Limits) -> Units:
    """R036: there are an active award and a valid price, and the lowest submitted price is disqualified."""
    reasons = [
        *_excluded(p, limits),
        *_not_compared(p, limits),
        (~p["has_bids"], "NO_BIDS"),
        (~(p["active"] > 0), "NO_ACTIVE_AWARD"),
        (p["currencies"] > 1, "SEVERAL_CURRENCIES"),
        (~(p["has_valid_price"] > 0), "NO_VALID_PRICE"),
    ]
    return _process_rule("R036", p, reasons, p["is_lowest_disqualified"] > 0)


def _unsuccessful_bids(facts: Facts, limits: Limits) -> list[Units]:
    """R025: a tenderer with many bids wins a share of them that is a low outlier."""
    found = facts.wins()
    bids = found["bids"]
    rule = Rule("low", limits.r025_threshold, percentile=limits.r025_percentile)
    share = found["wins"] / bids.where(bids > 0)
    return [_organisations("R025", "Tenderer", found, [(bids == 0, "NO_DECIDED_BID")], share, rule, bids)]


def _disqualified_bids(facts: Facts, limits: Limits) -> list[Units]:
    """R038: the disqualified share of the submitted bids is a high outlier among those of a kind."""
    least = {
        "Buyer": limits.r038_minimum_contracting_processes,
        "ProcuringEntity": limits.r038_minimum_contracting_processes,
        "Tenderer": limits.r038_minimum_submitted_bids,
    }
    rule = Rule("high", limits.r038_threshold)
    made = []
    for group, minimum in least.items():
        found = facts.disqualified(group)
        bids = found["submitted"]
        reasons: Reasons = [(bids == 0, "NO_BIDS"), (bids < minimum, "TOO_FEW_BIDS")]
        share = found["disqualified"] / bids.where(bids > 0)
        made.append(_organisations("R038", group, found, reasons, share, rule))
    return made


def _heterogeneous(facts: Facts, limits: Limits) -> list[Units]:
    """R048: the number of distinct item classes awarded to a supplier is a high outlier."""
    found = facts.supplies(limits.r048_digits)
    reasons: Reasons = [
        (found["processes"] == 0, "NO_CLASSIFIED_ITEM"),
        (found["processes"] < limits.r048_minimum_contracting_processes, "TOO_FEW_PROCESSES"),
    ]
    rule = Rule("high", limits.r048_threshold, is_guarded=False)
    return [_organisations("R048", "Tenderer", found, reasons, found["variety"], rule)]


_PROCESS_INDICATORS: dict[str, Callable[[pd.DataFrame, Limits], Units]] = {
    "R003": _short_period,
    "R018": _single_bid,
    "R024": _close_price,
    "R028": _identical_prices,
    "R030": _late_bid,
    "R035": _others_disqualified,
    "R036": _lowest_disqualified,
    "R058": _heavy_discount,
}
#: Those about bids that compete with each other.
_COMPETITION_INDICATORS = ("R024", "R028", "R035", "R036", "R058")

_ORGANISATION_INDICATORS: dict[str, Callable[[Facts, Limits], list[Units]]] = {
    "R025": _unsuccessful_bids,
    "R038": _disqualified_bids,
    "R048": _heterogeneous,
}


def maps(engine: Engine, limits: Limits, assessment: Assessment) -> dict[str, dict[str, str | list[str]]]:
    """Return which organisations are behind the results, under the names that Cardinal has.

    Each map is ocid -> an id, or ids in their order: who submitted a bid, which buyer or procuring entity disqualified
    one, and whose part in a flagged process is flagged.
    """
    facts = Facts(engine, limits.currency, limits.exclusions_procurement_method_details)
    made: dict[str, dict[str, str | list[str]]] = {
        "ocid_buyer_r038": {},
        "ocid_procuringentity_r038": {},
        "ocid_tenderer": {},
        **{f"ocid_tenderer_{code.lower()}": {} for code in sorted(_PARTS)},
    }
    if "R038" in limits.codes:
        for name, organisation in (("buyer", "buyer_id"), ("procuringentity", "entity_id")):
            made[f"ocid_{name}_r038"] = dict(facts.refusing(organisation).itertuples(index=False, name=None))
    if set(_ORGANISATION_INDICATORS) & set(limits.codes):
        made["ocid_tenderer"] = _listed(facts.submitting())
    for code, parts in assessment.parts.groupby("code"):
        made[f"ocid_tenderer_{str(code).lower()}"] = _listed(parts[["ocid", "id"]])
    return made


def _listed(pairs: pd.DataFrame) -> dict[str, str | list[str]]:
    return {str(ocid): sorted(set(ids)) for ocid, ids in pairs.groupby("ocid", sort=True)["id"]}


#: Indicators of processes that flag tenderers too, and with which value.
_PARTS = {"R024": 0.0, "R028": 1.0, "R030": 1.0, "R035": 0.0, "R058": 0.0}


def _parts_in(code: str, flagged: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Return ocid and id of the tenderers whose part in flagged processes is flagged too."""
    if code in ("R028", "R030"):
        found = facts.equal_tenderers() if code == "R028" else facts.late_tenderers()
        ocids = flagged.set_index("process")["ocid"]
        return pd.DataFrame({"ocid": found["process"].map(ocids), "id": found["tenderer_id"]}).dropna()
    columns = {"R024": ("supplier_id", "runner_up_id"), "R058": ("supplier_id",), "R035": ("winner_id",)}[
        code
    ]
    parts = [
        flagged[["ocid", column]].set_axis(["ocid", "id"], axis=1).astype("object") for column in columns
    ]
    return pd.concat(parts, ignore_index=True)


def _process_rule(
    code: str,
    p: pd.DataFrame,
    reasons: Reasons,
    flagged: pd.Series,
    value: pd.Series | None = None,
    *,
    is_banded: bool = True,
) -> Units:
    values = np.ones(len(p)) if value is None else value.to_numpy(dtype=np.float64)
    verdict: Flags = flagged.to_numpy(dtype=np.bool_)
    return Units(code, "OCID", _keys(p), _first(reasons), values, flagged=verdict, is_banded=is_banded)


def _organisations(
    code: str,
    group: str,
    found: pd.DataFrame,
    reasons: Reasons,
    value: pd.Series,
    rule: Rule,
    sizes: pd.Series | None = None,
) -> Units:
    return Units(
        code,
        group,
        found[["id", "class", "currency"]].assign(bidders=np.nan),
        _first(reasons),
        value.to_numpy(dtype=np.float64),
        rule=rule,
        sizes=None if sizes is None else sizes.to_numpy(dtype=np.float64),
    )


def _keys(p: pd.DataFrame) -> pd.DataFrame:
    return p[["ocid", "class", "currency", "bidders"]].rename(columns={"ocid": "id"})


def _excluded(p: pd.DataFrame, limits: Limits) -> Reasons:
    return [
        (p["tender_status"] == "cancelled", "CANCELLED"),
        (p["details"].isin(limits.exclusions_procurement_method_details), "EXCLUDED_BY_SETTINGS"),
    ]


def _not_chosen(p: pd.DataFrame, methods: tuple[str, ...]) -> Reasons:
    return [(~p["method"].isin(methods), "METHOD_NOT_CHOSEN")] if methods else []


def _not_compared(p: pd.DataFrame, limits: Limits) -> Reasons:
    if limits.price_comparison_procurement_methods:
        return [(~p["details"].isin(limits.price_comparison_procurement_methods), "METHOD_NOT_CHOSEN")]
    return [(p["details"].isin(limits.no_price_comparison_procurement_methods), "METHOD_NOT_CHOSEN")]


def _unsettled(p: pd.DataFrame) -> Reasons:
    """Results are stable: new data may add a flag and never takes one away, so awards must be final."""
    return [
        (~p["has_awards"], "NO_AWARDS"),
        (~p["has_bids"], "NO_BIDS"),
        (p["unsettled"] > 0, "AWARD_NOT_FINAL"),
    ]


def _first(reasons: Sequence[tuple[pd.Series, str]]) -> Texts:
    """Return each unit's first reason that holds, or ""."""
    masks = [mask.to_numpy(dtype=np.bool_) for mask, _ in reasons]
    return np.select(masks, [np.array(reason, dtype=object) for _, reason in reasons], default="")
