"""`make detector-report`: every detector beside the truth of a simulated county and beside real markets.

    python tests/benchmarks/detector_report.py --seed 20260701 --lots 18400 [--page detectors/REPORT.md]

Two counties are made and judged, one with rings and one without, of the same seed and size; then every real set
that a mapping reads (their folder: ``BIDWATCH_REAL_DATA``, else ``../shared/data``). Everything is built in a
temporary folder. With ``--page`` the same text is written there, too, without the times, which are this
machine's; where a real set is missing the page stays as it is.

The exit code is 1 if a detector has a status that its figures do not bear, or if no detector finds all the Korean tenders whose
bidders share a representative.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import real_sets
from judged_markets import SETS, County, judged, sharing_tenders

from detectors import registry
from detectors.interface import Grade, Status
from detectors.registry import Loaded
from pipelines.simulator.tactics import KEYS
from pipelines.workshop import trust
from pipelines.workshop.evaluation import CONTROL
from pipelines.workshop.trust import REAL_SHARE, REAL_UNITS

STRONG = (Grade.A, Grade.B)
CARES = "01234"
WIDTH = 110
SHORT = {
    "cover_bids": "cover",
    "rotation": "rotat",
    "market_split": "split",
    "ladder": "ladder",
    "mean_shift": "mean",
    "support_bids": "supp",
    "losers_for_hire": "hire",
    "vertical": "vert",
    "late_just_below": "late",
    "payback": "payb",
    CONTROL: "none",
}


def main() -> int:
    """Judge, print, and say by the exit code whether stable detectors pass."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument(
        "--lots", type=int, required=True, help="of each county; 18,400 have a ring of each kind"
    )
    parser.add_argument("--page", type=Path, help="write the page here, too, without times")
    asked = parser.parse_args()
    data = real_sets.folder()
    detectors = registry.load()
    kinds = {detector.id: detector.facts.unit for detector in detectors}
    rings, honest, markets = judged(asked.seed, asked.lots, kinds, data)
    plain = {name: units for name, units in markets.items() if "is_collusive" not in units}
    labelled = {name: units for name, units in markets.items() if "is_collusive" in units}
    sharing = sharing_tenders(data) if "korea" in markets else set()
    korean = korean_table(markets["korea"], kinds, sharing) if sharing else None
    gates = trust.gates(detectors, honest.seen.units, without(markets, sharing))
    precision = precision_of(rings, detectors)
    held_back = trust.held_back(gates, precision)
    text = [
        *head(asked.seed, asked.lots, rings, honest),
        *gate_part(gates, detectors),
        *status_part(held_back),
        *precision_part(rings, detectors, precision),
        *recall_part(rings),
        *together_part(rings, honest, detectors),
        *real_part(plain, labelled),
        *(korean_part(korean, len(sharing)) if korean is not None else []),
    ]
    print("\n".join([*text, *time_part(rings)]))
    missing = [name for name in SETS if name not in markets]
    if asked.page and missing:
        print(
            f"{asked.page} stays as it is: {data} (BIDWATCH_REAL_DATA) has no {listed(missing)}",
            file=sys.stderr,
        )
    elif asked.page:
        asked.page.write_text("\n".join(text), encoding="utf-8")
        registry.MEASURED.write_text(registry.written(detectors), encoding="utf-8")
    status = pd.Series([detector.status for detector in detectors], index=gates.index)
    is_above = (status.eq(Status.STABLE) & ~gates["passes"]) | (
        status.ne(Status.EXPERIMENTAL) & held_back.ne("")
    )
    missed = list(gates.index[is_above])
    if missed:
        print(f"of a status that these figures do not bear: {', '.join(missed)}", file=sys.stderr)
    is_lost = korean is not None and not (korean["lost"] == 0).any()
    if is_lost:
        print(
            "no detector finds all the Korean tenders whose bidders share a representative", file=sys.stderr
        )
    return int(bool(missed) or is_lost)


# ---- the tables


def head(seed: int, lots: int, rings: County, honest: County) -> list[str]:
    """What was judged, and how to do it again."""
    acted = rings.truth.lots[rings.truth.lots["is_rigged"].eq("yes")]
    return [
        "# What the detectors see",
        "",
        prose(f"""Written by `make detector-report` (seed {seed}, {lots:,} lots), which takes minutes, so no test checks
              it: run it again when a detector, a limit or the simulator changed. With the limits in force were judged:
              a county of {rings.bids:,} bids, {len(acted):,} of its lots rigged by {acted["ring"].nunique()} rings;
              one of {honest.bids:,} bids without rings; and the real sets. A simulated county is as good as its
              simulator: to pass here is necessary, and proves nothing."""),
        "",
    ]


def gate_part(gates: pd.DataFrame, detectors: Sequence[Loaded]) -> list[str]:
    """Which detectors may be called stable."""
    is_loud = gates["real_share"] > REAL_SHARE
    shown = {
        "detector": gates.index,
        "gr": [detector.facts.grade for detector in detectors],
        "judged": gates["judged"].map("{:,}".format),
        "false": gates["false"].map("{:,}".format),
        "%": percents(gates["share"], 2),
        "at most": percents(gates["high"], 2),
        "gate": percents(gates["gate"], 2),
        "verdict": gates["verdict"],
        "real %": percents(gates["real_share"], 1),
        "of": gates["real_set"] + np.where(is_loud, " !", ""),
    }
    status = pd.Series([detector.status for detector in detectors], index=gates.index)
    named = {
        verdict: gates.index[gates["verdict"] == verdict] for verdict in ("fails", "over", "few", "no units")
    }
    named[f"more than {100 * REAL_SHARE:.0f} % of a real set"] = gates.index[is_loud]
    named |= {f"status {s}": status.index[status == s] for s in (Status.TEST, Status.STABLE)}
    return [
        "## The gates",
        "",
        prose(f"""Units judged and falsely flagged in the county in which nobody rigs (a flag on a matter that is so
              there, such as a ban in force, is not false), their share, its upper 95 % bound, and the gate: 1 % for
              grades A and B, the nominal probability for C, 1 % where it names none. `over`: above the gate, as chance
              can do; `fails`: beyond chance; `few`: of so few units not even no flag would show it; `no units`: it
              could judge nothing. Then the real set of which it flags most, of those with {REAL_UNITS} judged units,
              without lots that labels call collusive and Korean tenders that are known to share a representative; `!` more than
              {100 * REAL_SHARE:.0f} %: not stable."""),
        "",
        table(shown),
        "",
        *(prose(f"- {what}: {listed(names)}") for what, names in named.items()),
        "",
    ]


def without(markets: Mapping[str, pd.DataFrame], sharing: set[str]) -> dict[str, pd.DataFrame]:
    """Return the markets, the Korean one without tenders whose bidders are known to share a representative."""
    return {
        name: units[~units["unit"].isin(sharing)] if name == "korea" else units
        for name, units in markets.items()
    }


def status_part(held_back: pd.Series) -> list[str]:
    """Which detectors' alerts are sent to offices."""
    why = {
        "fails": "its gate, beyond chance",
        "over": "its gate, as chance can do",
        "few": "too few units judged to say",
        "no units": "nothing judged",
        "loud": f"flags more than {100 * REAL_SHARE:.0f} % of a real set",
        "blind": "no better than blind flagging in the county with rings",
    }
    return [
        "## Whose alerts leave the house",
        "",
        prose("""Alerts of experimental detectors stay inside, for analysts. The status test is earned by these figures: the
              gate holds, no real set is flagged beyond the limit, and of ten or more flags in the county with rings not
              fewer are true than blind flagging would have."""),
        "",
        prose(f"- earned: {listed(held_back.index[held_back == ''])}"),
        *(
            prose(f"- not, {text}: {listed(held_back.index[held_back == name])}")
            for name, text in why.items()
        ),
        "",
    ]


def precision_of(rings: County, detectors: Sequence[Loaded]) -> pd.DataFrame:
    """Return the precision of every detector where rings are; none where the truth does not judge its units."""
    found = trust.precision(rings.seen.units).reindex([detector.id for detector in detectors])
    is_about_buyers = np.array([detector.facts.unit == "buyer" for detector in detectors])
    found.loc[is_about_buyers, ["precision", "base"]] = np.nan
    return found


def precision_part(rings: County, detectors: Sequence[Loaded], found: pd.DataFrame) -> list[str]:
    """Which share of every detector's flags is true where rings are."""
    facts = {detector.id: detector.facts for detector in detectors}
    is_about_buyers = np.array([fact.unit == "buyer" for fact in facts.values()])
    counts = found[["judged", "flagged", "true"]].fillna(0).astype("int64")
    by_ring = trust.rings_seen(rings.seen.hits, facts, rings.truth)
    acting, idle = by_ring[by_ring["tactic"] != CONTROL], by_ring[by_ring["tactic"] == CONTROL]
    shown = {
        "detector": counts.index,
        "gr": [fact.grade for fact in facts.values()],
        "unit": [fact.unit for fact in facts.values()],
        "judged": counts["judged"].map("{:,}".format),
        "flagged": counts["flagged"].map("{:,}".format),
        "true": np.where(is_about_buyers, "-", counts["true"].map("{:,}".format)),
        "true %": percents(found["precision"], 1),
        "base %": percents(found["base"], 1),
        "rings": acting[acting["is_found"]]["detector"].value_counts().reindex(facts, fill_value=0),
        "none": idle[idle["is_found"]]["detector"].value_counts().reindex(facts, fill_value=0),
    }
    return [
        "## In the county with rings",
        "",
        prose(f"""True: flagged units that are of a ring (a lot that it rigged, a row that names two of its firms or nobody
              else than one), or of a matter that is so without it. Base: of a ring among all judged units, what blind
              flagging would give. Rings: of {acting["ring"].nunique()} that acted, those of which something was flagged.
              None: of {idle["ring"].nunique()} rings that do nothing; what is found of these is chance. The truth does not
              judge units that are buyers."""),
        "",
        table(shown),
        "",
    ]


def recall_part(rings: County) -> list[str]:
    """Which rings, and which of their lots, every detector found."""
    hits = rings.seen.hits
    found = trust.rings_seen(hits, hits["detector"].unique(), rings.truth)
    acting = found[found["tactic"] != CONTROL]
    by_ring = patterns(found[found["detector"].isin(acting[acting["is_found"]]["detector"])])
    in_lots = acting[acting["lots_seen"] > 0]["detector"]
    found, acting = found[found["detector"].isin(in_lots)], acting[acting["detector"].isin(in_lots)]
    by_tactic = lots_share(found, "tactic").reindex(columns=KEYS)
    by_care = lots_share(acting, "care").rename(columns="care {}".format)
    by_care = by_care.assign(all=lots_share(acting.assign(all="all"), "all"), none=by_tactic[CONTROL])
    return [
        "## Recall by ring",
        "",
        prose("""The levels of care (0 careless, 4 knows every detector and its limits) whose rings were found, by tactic;
              `~` some of them. Under `none`, chance. Detectors that found no ring are left out."""),
        "",
        table({"detector": by_ring.index, **{SHORT[key]: by_ring[key] for key in KEYS}}),
        "",
        "## Recall by lot",
        "",
        prose("""Share of the rigged lots that were flagged, in percent of all of them, judged or not; under `none`, of the
              lots in which a ring that does nothing met."""),
        "",
        table({"detector": by_tactic.index, **{SHORT[key]: percents(by_tactic[key], 0) for key in KEYS}}),
        "",
        table({"detector": by_care.index, **{name: percents(by_care[name], 0) for name in by_care}}),
        "",
    ]


def together_part(rings: County, honest: County, detectors: Sequence[Loaded]) -> list[str]:
    """What all detectors together find: with a strong detector, and with detectors of two families."""
    strong = [detector.id for detector in detectors if detector.facts.grade in STRONG]
    families = {detector.id: detector.id.split(".")[0] for detector in detectors}
    hits = rings.seen.hits
    by_strong = hits[hits["detector"].isin(strong)].assign(detector="strong")
    both = pd.concat([by_strong, trust.twice(hits, families)])
    found = trust.rings_seen(both, ("strong", "two"), rings.truth)
    acting = found[found["tactic"] != CONTROL]
    parts = {SHORT[key]: found[found["tactic"] == key] for key in KEYS}
    parts |= {f"care {level}": acting[acting["care"] == level] for level in CARES}
    parts["all rings"] = acting
    false = trust.lots_flagged(honest.seen.units, strong, families)
    care = patterns(found)
    lots = len(honest.truth.lots)
    shown: dict[str, list[object]] = {"": [*parts, "honest county"]}
    for way, heading in (("strong", "of care"), ("two", "and care")):
        some = {name: part[part["detector"] == way] for name, part in parts.items()}
        acted = pd.Series({name: part["lots"].sum() for name, part in some.items()})
        lots_seen = pd.Series({name: part["lots_seen"].sum() for name, part in some.items()})
        shown["rings"] = [*map(len, some.values()), ""]
        shown["lots"] = [*acted.map("{:,}".format), f"{lots:,}"]
        shown[f"{way}: rings"] = [*(part["is_found"].sum() for part in some.values()), ""]
        shown[heading] = [*care.loc[way, list(KEYS)], *[""] * (len(parts) + 1 - len(KEYS))]
        shown[f"{way}: lots %"] = [*percents(lots_seen / acted, 1), *percents([false[way] / lots], 1)]
    return [
        "## The whole catalogue",
        "",
        prose("""Strong: a flag of a detector of grade A or B at least. Two: flags of two families (the part of the name
              before the point) of any grade, on the ring, or in the lot. With the levels of care whose rings were found.
              Compare with `none` and with the honest county, where every flag counted is false."""),
        "",
        table(shown),
        "",
    ]


def real_part(plain: Mapping[str, pd.DataFrame], labelled: Mapping[str, pd.DataFrame]) -> list[str]:
    """Flags on real markets, without labels and with them."""
    if not plain and not labelled:
        return ["## Real markets", "", "The real sets were not there.", ""]
    cells = {name: units.groupby("detector")["is_flagged"].agg(flagged_of) for name, units in plain.items()}
    without = pd.DataFrame({name: column for name, column in cells.items() if len(column)}).fillna("")
    silent = [name for name, column in cells.items() if not len(column)]
    with_labels = pd.DataFrame({name: labelled_cells(units) for name, units in labelled.items()}).fillna("")
    return [
        "## Real markets without labels",
        "",
        prose(f"""Flagged / judged units; `!` more than {100 * REAL_SHARE:.0f} % of {REAL_UNITS} or more. Left out: detectors that
              could judge nothing, and sets in which none could: {listed(silent)}."""),
        "",
        table({"detector": without.index, **{name: without[name] for name in without}}),
        "",
        "## Real markets with labels",
        "",
        prose("""Flagged lots: of them in percent those that the source calls collusive (of all judged lots). The labels are
              the source's: a whole tender in the paper's sets, in Comprasnet a lot with a firm that was punished."""),
        "",
        table({"detector": with_labels.index, **{name: with_labels[name] for name in with_labels}}),
        "",
    ]


def flagged_of(flags: pd.Series) -> str:
    """Return flagged / judged, marked where it is too much."""
    mark = "!" if len(flags) >= REAL_UNITS and flags.mean() > REAL_SHARE else ""
    return f"{flags.sum()}/{len(flags)}{mark}"


def labelled_cells(units: pd.DataFrame) -> pd.Series:
    """Return, by detector: flagged lots: percent collusive of them (of all judged)."""
    known = units.dropna(subset="is_collusive").astype({"is_collusive": "bool"})
    base = known.groupby("detector")["is_collusive"].mean()
    flagged = (
        known[known["is_flagged"]]
        .groupby("detector")["is_collusive"]
        .agg(["size", "mean"])
        .reindex(base.index)
    )
    return pd.Series(
        [
            f"{size:.0f}: {100 * mean:.0f} ({100 * share:.0f})" if size > 0 else f"0 ({100 * share:.0f})"
            for size, mean, share in zip(flagged["size"], flagged["mean"], base, strict=True)
        ],
        index=base.index,
        dtype="str",
    )


def korean_table(units: pd.DataFrame, kinds: Mapping[str, str], sharing: set[str]) -> pd.DataFrame:
    """Return, by detector of lots that flags any of these tenders: found, lost, beside (others flagged), judged."""
    lots = units[units["detector"].map(kinds).eq("lot")]
    is_sharing = lots["unit"].isin(sharing)
    found = (lots["is_flagged"] & is_sharing).groupby(lots["detector"]).sum()
    beside = (lots["is_flagged"] & ~is_sharing).groupby(lots["detector"]).sum()
    shown = pd.DataFrame(
        {
            "found": found,
            "lost": len(sharing) - found,
            "beside": beside,
            "judged": lots["detector"].value_counts(),
        }
    )
    return shown[shown["found"] > 0]


def korean_part(korean: pd.DataFrame, sharing: int) -> list[str]:
    """The tenders whose truth about shared representatives stands in the file."""
    shown = {"detector": korean.index} | {name: korean[name].map("{:,}".format) for name in korean}
    return [
        "## Korean tenders whose bidders share a representative",
        "",
        prose(f"""In {sharing} of the tenders of 2022-2024 two business numbers have one representative. Found, lost, and
              other tenders flagged beside them, by the detectors that flag any of them."""),
        "",
        table(shown),
        "",
    ]


def time_part(rings: County) -> list[str]:
    """CPU time of every detector, scaled in proportion to a million bids."""
    seconds = (rings.seconds * 1e6 / rings.bids).sort_values(ascending=False)
    third = -(-len(seconds) // 3)
    shown: dict[str, list[str]] = {}
    for place in range(3):
        part = seconds.iloc[place * third : (place + 1) * third]
        blank = [""] * (third - len(part))
        shown[f"detector {place + 1}"] = [*part.index, *blank]
        shown[f"s {place + 1}"] = [*part.map("{:.1f}".format), *blank]
    return [
        "## Time",
        "",
        prose(f"""CPU seconds per million bids, in proportion from the {rings.bids:,} of the county with rings;
              {seconds.sum():.0f} s for all detectors."""),
        "",
        table(shown),
        "",
    ]


# ---- of tables


def patterns(found: pd.DataFrame) -> pd.DataFrame:
    """Return, by detector and tactic, the levels of care whose rings were found: its digit, ``~`` some, ``.`` none."""
    by = found.groupby(["detector", "tactic", "care"])["is_found"].agg(["all", "any"]).reset_index()
    by["sign"] = by["care"].where(by["all"], "~").where(by["any"], ".")
    wide = by.pivot_table("sign", ["detector", "tactic"], "care", aggfunc="first")
    wide = wide.reindex(columns=list(CARES), fill_value=" ")
    cells = wide.fillna(" ").agg("".join, axis=1).rename("cell").reset_index()
    shown = cells.pivot_table("cell", "detector", "tactic", aggfunc="first")
    return shown.reindex(columns=list(KEYS), fill_value="").fillna("")


def lots_share(found: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return, by detector and ``by``, the share of the rings' lots that were flagged."""
    sums = found.pivot_table(["lots_seen", "lots"], "detector", by, aggfunc="sum")
    return sums["lots_seen"] / sums["lots"]


def percents(shares: Iterable[float], decimals: int) -> list[str]:
    """Return shares as percent; ``-`` where there is none."""
    return ["-" if np.isnan(share) else f"{100 * share:.{decimals}f}" for share in shares]


def prose(text: str) -> str:
    """Return a text as lines that fit the page."""
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def listed(names: Iterable[str]) -> str:
    """Return names between commas."""
    return ", ".join(names) or "none"


def table(columns: Mapping[str, Iterable[object]]) -> str:
    """Return columns as a Markdown table whose first column stands left and whose numbers stand right."""
    cells = {name: [str(value) for value in values] for name, values in columns.items()}
    is_left = {
        name: place == 0 or not any(value[:1].isdigit() for value in values)
        for place, (name, values) in enumerate(cells.items())
    }
    width = {name: max(map(len, [name, "--:", *values])) for name, values in cells.items()}

    def line(values: Mapping[str, str]) -> str:
        placed = (
            value.ljust(width[name]) if is_left[name] else value.rjust(width[name])
            for name, value in values.items()
        )
        return "| " + "| ".join(placed) + " |"

    rule = {name: ":" + "-" * (n - 1) if is_left[name] else "-" * (n - 1) + ":" for name, n in width.items()}
    rows = [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]
    return "\n".join([line({name: name for name in cells}), line(rule), *map(line, rows)])


if __name__ == "__main__":
    sys.exit(main())
