"""`make big-openings`: every detector on openings of 2,000 bidders, and a firm that bids in 10,000 lots.

    python tests/benchmarks/big_openings.py [DETECTOR ...]

Three such openings hold six million pairs of bidders. They and the busy firm are put into the honest market of the
tests, so that every detector has something to judge. Printed are CPU seconds of the slowest detectors and of all,
and the peak memory of the process; the exit code is 1 above the limits, which say that nothing grows with the pairs.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import Market
from honest.market import honest_market
from places import known_rules

from detectors import registry

BIDDERS, BUSY_LOTS, OTHERS = 2_000, 10_000, 3_000
OPENINGS = {
    "BIG1": ("average_price", "drawn_factor"),
    "BIG2": ("lowest_price", "lowest"),
    "BIG3": ("average_price", "drawn_factor"),
}
SHOWN = 12
MAX_SECONDS, MAX_MIB = 120, 2_048


def big_openings(like: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of three lots in which 2,000 firms bid, each with its own people and machines.

    Args:
        like: a lot whose other columns they get.
    """
    rng = np.random.default_rng(1)
    rules = known_rules()
    ids = list(OPENINGS)
    lots = pd.concat([like] * len(ids), ignore_index=True)
    lots = lots.assign(lot_id=ids, tender_id=ids, award_method=[method for method, _ in OPENINGS.values()])
    bids = pd.DataFrame(
        {"lot_id": np.repeat(ids, BIDDERS), "bidder_id": [f"G{n:05}" for n in range(BIDDERS)] * len(ids)}
    )
    own = bids["bidder_id"]
    machine = bids.assign(
        mac=own, cpu_id=own, disk_serial=own, memory_serial=own, dongle=own, ip=own, created_id=own
    )
    ceiling = float(like["ceiling_price"].iloc[0])
    return {
        "lots": lots,
        "documents": pd.DataFrame(
            {"lot_id": ids, "evaluation_method": [rules[rule].method_text for _, rule in OPENINGS.values()]}
        ),
        "opening_draws": pd.DataFrame({"lot_id": ["BIG1", "BIG3"], "drawn_values": "K=0.97"}),
        "bids": bids.assign(
            price=(ceiling * rng.uniform(0.7, 1, len(bids))).round(2),
            is_winner=False,
            submitted_at="2025-06-01 01:00:00",
        ),
        "scores": bids.assign(is_vetoed=False),
        "fingerprints": pd.concat([machine.assign(purpose=purpose) for purpose in ("upload", "edit")]),
        "people": bids.assign(person_id="h1:i" + own, person="h1:n" + own, phone="h1:p" + own, role="agent"),
        "deposits": bids.assign(account="h1:c" + own),
    }


def busy_firm() -> dict[str, pd.DataFrame]:
    """Return 10,000 lots in each of which one firm meets four of 3,000 others."""
    rng = np.random.default_rng(2)
    ids = [f"Q{number:06}" for number in range(BUSY_LOTS)]
    others = np.array([f"H{number:04}" for number in range(OTHERS)])
    parts = [
        pd.Series("BUSY", index=range(BUSY_LOTS)),
        *(pd.Series(rng.choice(others[at::4], BUSY_LOTS)) for at in range(4)),
    ]
    bids = pd.concat([pd.DataFrame({"lot_id": ids, "bidder_id": part}) for part in parts], ignore_index=True)
    bids["price"] = (1e6 * rng.uniform(0.8, 1, len(bids))).round(2)
    bids["is_winner"] = bids.groupby("lot_id")["price"].rank(method="first") == 1
    same = {
        "award_method": "lowest_price",
        "class": "A01",
        "opened_on": "2025-07-01",
        "ceiling_price": 1e6,
        "ceiling_price_cny": 1e6,
        "agency_code": "AGENCY1",
    }
    buyers = rng.choice(["BUYER1", "BUYER2"], BUSY_LOTS)
    lots = pd.DataFrame({"lot_id": ids, "tender_id": ids, "buyer_code": buyers} | same)
    return {"lots": lots, "bids": bids}


def main(only: list[str]) -> int:
    """Run the detectors, print, and say by the exit code whether the limits hold."""
    frames = honest_market()
    parts = (frames, big_openings(frames["lots"].iloc[:1]), busy_firm())
    market = Market()
    for table in dict.fromkeys(name for part in parts for name in part):
        rows = pd.concat([part[table] for part in parts if table in part], ignore_index=True)
        market.append(table, rows)
    seconds = {}
    for detector in registry.load():
        if only and detector.id not in only:
            continue
        start = time.process_time()
        detector.screen(market.engine, detector.limits)
        seconds[detector.id] = time.process_time() - start
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    for id, took in sorted(seconds.items(), key=lambda pair: -pair[1])[:SHOWN]:
        print(f"{took:6.1f} s  {id}")
    total = sum(seconds.values())
    print(
        f"{total:6.1f} s  {len(seconds)} detectors, {mib:,} MiB at most (limits {MAX_SECONDS} s, {MAX_MIB:,} MiB)"
    )
    return int(total > MAX_SECONDS or mib > MAX_MIB)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
