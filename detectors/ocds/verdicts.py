"""Compares what the OCDS indicators measure: with the whole file, and with units of its own kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from detectors.ocds.fences import (
    Flags,
    Groups,
    Numbers,
    Rule,
    Texts,
    beyond,
    fences,
    quantiles,
    reference_classes,
    usable,
)

GROUPS = ("OCID", "Buyer", "ProcuringEntity", "Tenderer", "Lot")

#: Keys of a reference class, widened from left to right. The currency is never dropped.
LEVELS = (("currency", "class", "band"), ("currency", "class"), ("currency",))

#: A warning is due when more than one in ``MANY`` of at least ``ENOUGH`` judged units is flagged.
MANY, ENOUGH = 5, 20

_COLUMNS = {
    "flags": ("group", "id", "code", "value"),
    "reference": (
        "group",
        "id",
        "code",
        "value",
        "flagged",
        "fence",
        "common_share",
        "reference_class",
        "reference_units",
    ),
    "coverage": ("code", "group", "units", "applied", "flagged", "reference_applied", "reference_flagged"),
    "not_computable": ("code", "group", "reason", "units"),
    "notes": ("code", "group", "note"),
    "parts": ("code", "ocid", "id"),
}


@dataclass(frozen=True)
class Assessment:
    """What the indicators say.

    Attributes:
        flags: group, id, code, value; one row a flag, in that order.
        meta: code -> name -> quartile or fence over the whole file. The group stands in front of the
            name where an indicator has several, the currency where several were judged.
        reference: group, id, code, value, flagged, fence (NaN: a fixed rule), common_share,
            reference_class, reference_units; one row per unit that is flagged in the file or in its
            class. ``common_share`` is the flagged share of the others in the class.
        coverage: code, group, units, applied, flagged, reference_applied, reference_flagged.
        not_computable: code, group, reason, units; these and ``applied`` add up to all units.
        notes: code, group, note.
        parts: code, ocid, id: the tenderers whose part in a flagged process is flagged too.
    """

    flags: pd.DataFrame
    meta: dict[str, dict[str, float]]
    reference: pd.DataFrame
    coverage: pd.DataFrame
    not_computable: pd.DataFrame
    notes: pd.DataFrame
    parts: pd.DataFrame


@dataclass(frozen=True)
class Units:
    """The units of one indicator: what they measure, or why they do not.

    Attributes:
        code, group: the indicator, and what its units are.
        keys: id, class, currency and bidders of every unit; None, NaN where unknown.
        reason: why there is no measure; "" where there is one.
        value: the measure.
        flagged: the verdict of a fixed rule; None where ``rule`` compares the values.
        rule: how values are compared; None for a fixed rule.
        sizes: what the percentile of the rule is about.
        is_by_currency: values of different currencies are not compared.
        is_banded: a class is first narrowed to processes with about as many bidders.
    """

    code: str
    group: str
    keys: pd.DataFrame
    reason: Texts
    value: Numbers
    flagged: Flags | None = None
    rule: Rule | None = None
    sizes: Numbers | None = None
    is_by_currency: bool = False
    is_banded: bool = False


@dataclass(frozen=True)
class Verdicts:
    """Takes measures, one indicator after the other, and collects what came out."""

    reference_units: int
    meta: dict[str, dict[str, float]] = field(default_factory=dict)
    _frames: dict[str, list[pd.DataFrame]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})

    def judge(self, units: Units) -> Flags:
        """Judge every unit, and say which are flagged in the whole file."""
        reason, flagged = units.reason, units.flagged
        if units.rule is not None:
            reason, flagged = self._compare(units, units.rule)
        assert flagged is not None
        is_judged = reason == ""
        named = {"code": units.code, "group": units.group}
        chosen: Flags = flagged & is_judged
        applied, count = int(is_judged.sum()), int(chosen.sum())
        self.flag(units.group, units.code, units.keys["id"][chosen], units.value[chosen])
        placed, found = self._refer(units, chosen)
        whole = {"units": len(reason), "applied": applied, "flagged": count}
        own = {"reference_applied": placed, "reference_flagged": found}
        self._frames["coverage"].append(pd.DataFrame([{**named, **whole, **own}]))
        reasons = pd.Series(reason[~is_judged], dtype="object").value_counts().sort_index()
        self._frames["not_computable"] += [
            pd.DataFrame([{**named, "reason": code, "units": many}]) for code, many in reasons.items()
        ]
        if applied >= ENOUGH and count * MANY > applied:
            self._frames["notes"].append(pd.DataFrame([{**named, "note": "MANY_FLAGGED"}]))
        return chosen

    def flag(self, group: str, code: str, ids: Iterable[object], values: Numbers | float) -> None:
        """Note flags; an id that is flagged twice counts once."""
        found = pd.DataFrame({"group": group, "id": pd.Series(list(ids), dtype="str"), "code": code})
        self._frames["flags"].append(found.assign(value=values).drop_duplicates("id"))

    def flag_parts(self, code: str, parts: pd.DataFrame, value: float) -> None:
        """Flag the tenderers of flagged processes; ``parts`` has ocid and id."""
        self.flag("Tenderer", code, parts["id"], value)
        self._frames["parts"].append(parts.assign(code=code))

    def assessment(self) -> Assessment:
        """Return everything in a fixed order."""
        whole = {
            name: pd.concat(frames, ignore_index=True)
            if frames
            else pd.DataFrame(columns=list(_COLUMNS[name]))
            for name, frames in self._frames.items()
        }
        for name in ("flags", "reference"):
            order = pd.Categorical(whole[name]["group"], categories=list(GROUPS), ordered=True)
            whole[name] = (
                whole[name].assign(order=order).sort_values(["order", "id", "code"], ignore_index=True)
            )
        return Assessment(
            meta=self.meta, **{name: whole[name][list(columns)] for name, columns in _COLUMNS.items()}
        )

    def _compare(self, units: Units, rule: Rule) -> tuple[Texts, Flags]:
        """Compare with fences over the whole file, and note these."""
        reason, flagged = units.reason.copy(), np.zeros(len(units.reason), dtype=np.bool_)
        measured = np.flatnonzero(reason == "")
        if not len(measured):
            if rule.threshold is not None and units.code != "R038":
                self.meta.setdefault(units.code, {})[_fence_name(rule)] = rule.threshold
            return reason, flagged
        labels = (
            units.keys["currency"].iloc[measured].astype("object")
            if units.is_by_currency
            else [""] * len(measured)
        )
        codes, names = pd.factorize(np.asarray(labels, dtype=object), sort=True)
        groups = codes.astype(np.int64)
        sizes = None if units.sizes is None else units.sizes[measured]
        made = fences(units.value[measured], groups, rule)
        is_usable = usable(made, rule)
        flagged[measured] = beyond(units.value[measured], sizes, groups, made, rule)
        reason[measured[~is_usable[groups]]] = "FENCE_NOT_POSITIVE"
        if (is_usable & (made["q1"] == made["q3"])).any():
            self._frames["notes"].append(
                pd.DataFrame([{"code": units.code, "group": units.group, "note": "ZERO_RANGE"}])
            )
        made = made.rename(columns={"fence": _fence_name(rule)})
        if sizes is not None and rule.percentile is not None:
            made["upper_fence"] = quantiles(sizes, groups, rule.percentile / 100)
        for name, row in zip(names, made.to_dict("records"), strict=True):
            front = f"{units.group}_" if units.code == "R038" or units.group == "Lot" else ""
            front += f"{name}_" if len(names) > 1 else ""
            found = {f"{front}{key}": round(value, 4) for key, value in row.items() if not np.isnan(value)}
            self.meta.setdefault(units.code, {}).update(found)
        return reason, flagged

    def _refer(self, units: Units, flagged: Flags) -> tuple[int, int]:
        """Compare each measured unit with its reference class; say how many have one, and are flagged in it."""
        measured = np.flatnonzero(units.reason == "")
        values, keys, rule = units.value[measured], units.keys.iloc[measured], units.rule
        sizes = None if units.sizes is None else units.sizes[measured]
        levels = LEVELS if units.is_banded else LEVELS[1:]
        applied = found = 0
        for placed, groups, names in reference_classes(keys, levels, self.reference_units):
            here, fence = flagged[measured], np.full(len(measured), np.nan)
            if rule is not None:
                here, fence = _beyond_own_fence(values, sizes, groups, rule)
            others = np.bincount(groups)[groups] - 1
            common = (np.bincount(groups, weights=here)[groups] - here) / np.maximum(others, 1)
            shown = placed & (here | flagged[measured])
            self._frames["reference"].append(
                pd.DataFrame(
                    {
                        "group": units.group,
                        "id": keys["id"][shown].astype("str"),
                        "code": units.code,
                        "value": values[shown],
                        "flagged": here[shown],
                        "fence": fence[shown],
                        "common_share": common[shown],
                        "reference_class": names[groups[shown]],
                        "reference_units": others[shown],
                    }
                )
            )
            applied += int(placed.sum())
            found += int((placed & here).sum())
        return applied, found


def _fence_name(rule: Rule) -> str:
    return "lower_fence" if rule.side == "low" else "upper_fence"


def _beyond_own_fence(
    values: Numbers, sizes: Numbers | None, groups: Groups, rule: Rule
) -> tuple[Flags, Numbers]:
    """Compare values with the fence of their class; one without any spread flags nobody."""
    made = fences(values, groups, rule)
    is_usable = usable(made, rule) & ~(made["q1"] == made["q3"]).to_numpy()
    here = beyond(values, sizes, groups, made, rule) & is_usable[groups]
    return here, made["fence"].to_numpy(dtype=np.float64)[groups]
