"""A market without rings, as the tables of a snapshot: what every detector must leave alone."""

import numpy as np
import pandas as pd
from honest.aftermath import aftermath
from honest.documents import documented
from places import known_rules

LOTS = 2_400
FIRMS = 400

#: Firms that bid for the same kind of lots: pairs of them meet often, others never.
NICHE = 20


def registered(firms):
    """Return what a register knows of the firms: each its own head, phone and address."""
    party = pd.Series([f"F{number:04}" for number in range(firms)])
    return pd.DataFrame(
        {
            "party_id": party,
            "party_code": party,
            "name": "Firm " + party,
            "legal_representative": "h1:h" + party,
            "legal_representative_id": "h1:l" + party,
            "phone": "h1:t" + party,
            "address": "Street " + party,
            "registered_on": ["2015-03-01", "2023-06-01"] * (firms // 2),
        }
    )


def decided(lots, bids):
    """Return what follows the bids: an evaluation that rejects at random, award, contract, subcontract."""
    rng = np.random.default_rng(20260302)
    lots = lots.assign(
        tender_id=lots["lot_id"],
        buyer_code=rng.choice([f"BUYER{number}" for number in range(4)], len(lots)),
        agency_code=rng.choice([f"AGENCY{number}" for number in range(4)], len(lots)),
        opening_at=lots["opened_on"] + " 01:30:00",
        ceiling_price_cny=lots["ceiling_price"],
    )
    opened_on = lots.set_index("lot_id")["opened_on"]
    minutes = pd.to_timedelta(rng.uniform(5, 20_000, len(bids)), unit="min")
    submitted_at = pd.to_datetime(bids["lot_id"].map(lots.set_index("lot_id")["opening_at"])) - minutes
    bids = bids.assign(
        submitted_at=submitted_at.dt.strftime("%Y-%m-%d %H:%M:%S"),
        is_winner=bids.groupby("lot_id")["price"].rank(method="first") == 1,
        duration_days=200,
        project_manager_id="h1:m" + bids["bidder_id"] + rng.integers(0, 5, len(bids)).astype(str),
    )
    won = bids[bids["is_winner"]].reset_index(drop=True)
    awarded_on = pd.to_datetime(won["lot_id"].map(opened_on)) + pd.Timedelta(days=5)
    signed_on = awarded_on + pd.to_timedelta(rng.integers(5, 30, len(won)), unit="D")
    some = won.head(900)
    return {
        "lots": lots,
        "bids": bids,
        "tenders": pd.DataFrame(
            {
                "tender_id": lots["tender_id"],
                "tender_mode": "open",
                "is_legally_mandatory": True,
                "published_on": (pd.to_datetime(lots["opened_on"]) - pd.Timedelta(days=25)).dt.date,
            }
        ),
        "documents": pd.DataFrame({"lot_id": lots["lot_id"], "bid_deadline_at": lots["opening_at"]}),
        "candidates": (
            # Now and then the first candidate cannot take the award.
            bids.assign(
                candidate_id=bids["bidder_id"],
                rank=bids.groupby("lot_id")["price"].rank(method="first").astype(int),
            )
            .query("rank <= 3")
            .assign(
                rank=lambda c: c["rank"].replace({1: 2, 2: 1}).where(c["lot_id"].str[-2:] == "07", c["rank"])
            )[["lot_id", "candidate_id", "rank"]]
        ),
        "awards": pd.DataFrame(
            {
                "lot_id": won["lot_id"],
                "winner_id": won["bidder_id"],
                "price": won["price"],
                "currency": "CNY",
                "awarded_on": awarded_on.dt.date,
                "project_lead_id": won["project_manager_id"],
            }
        ),
        "contracts": pd.DataFrame(
            {
                "lot_id": won["lot_id"],
                "contract_no": "C-" + won["lot_id"],
                "supplier_id": won["bidder_id"],
                "price": won["price"],
                "currency": "CNY",
                "signed_on": signed_on.dt.date,
            }
        ),
        "scores": bids[["lot_id", "bidder_id"]].assign(
            is_vetoed=~bids["is_winner"] & (rng.random(len(bids)) < 0.05)
        ),
        "failures": lots.sample(frac=0.03, random_state=1)[["lot_id"]],
        "experts": pd.DataFrame(
            {
                "lot_id": np.repeat(lots["lot_id"].to_numpy(), 3),
                "expert_key": np.tile(["1", "2", "3"], len(lots)),
                "expert_id": [
                    f"h1:e{number}" for _ in range(len(lots)) for number in rng.choice(30, 3, replace=False)
                ],
            }
        ),
        "contract_members": pd.DataFrame(
            {
                "lot_id": won["lot_id"],
                "contractor_id": won["bidder_id"],
                "person_id": won["project_manager_id"],
            }
        ),
        "insured_people": pd.DataFrame(
            {
                "party_id": bids["bidder_id"],
                "person_id": bids["project_manager_id"],
                "starts_on": "2020-01-01",
            }
        ),
        "payments": pd.DataFrame(
            {
                "lot_id": won["lot_id"],
                "payment_no": "P-" + won["lot_id"],
                "payee_id": won["bidder_id"],
                "amount": won["price"],
            }
        ),
        "subcontracts": pd.DataFrame(
            {
                "lot_id": some["lot_id"],
                "contractor_id": some["bidder_id"],
                "subcontractor_id": [f"SUB{number:03}" for number in rng.integers(0, 300, len(some))],
                "price": 1000.0,
                "signed_on": "2026-05-01",
            }
        ),
    }


def evaluated(lots, bids, frames):
    """Add what the award rules need: their wording, the draws, the ranks; estimates and priced items."""
    rng = np.random.default_rng(20260303)
    wording = {"lowest_price": "lowest", "average_price": "drawn_factor"}
    rules = lots["award_method"].map(wording)
    texts = rules.map({id: rule.method_text for id, rule in known_rules().items()})
    drawn = lots.loc[rules == "drawn_factor", ["lot_id"]]
    scores = (
        frames["scores"].merge(bids[["lot_id", "bidder_id", "price"]]).merge(lots[["lot_id", "award_method"]])
    )
    ranked = scores[~scores["is_vetoed"] & (scores["award_method"] == "lowest_price")]
    some = bids.groupby("lot_id").head(3)
    some = some[some["lot_id"].isin(lots["lot_id"].head(520))]
    norm = np.exp(rng.normal(4.5, 1.5, 30)) + 1
    return frames | {
        "lots": frames["lots"].assign(
            estimate_price=(lots["ceiling_price"] * rng.uniform(1.0, 1.05, len(lots))).round(2)
        ),
        "documents": frames["documents"].assign(evaluation_method=texts.astype("str")),
        "opening_draws": drawn.assign(drawn_values=rng.choice(["K=0.96", "K=0.97", "K=0.98"], len(drawn))),
        "scores": frames["scores"].assign(
            rank=ranked.groupby("lot_id")["price"].rank(method="first").astype("Int64")
        ),
        "priced_items": pd.DataFrame(
            {
                "lot_id": np.repeat(some["lot_id"].to_numpy(), 30),
                "bidder_id": np.repeat(some["bidder_id"].to_numpy(), 30),
                "item_code": np.tile([f"{number:012}" for number in range(30)], len(some)),
                "unit_price": (norm * np.exp(rng.normal(0, 0.1, (len(some), 30)))).ravel().round(2),
                "currency": "CNY",
                "is_published_price": False,
            }
        ),
    }


def honest_market():
    """2,400 lots with 3 to 9 independent bids each, bidders with their own machines, people and accounts."""
    rng = np.random.default_rng(20260301)
    sizes = rng.integers(3, 10, LOTS)
    lots = pd.DataFrame(
        {
            "lot_id": [f"P{number:05}" for number in range(LOTS)],
            "award_method": rng.choice(
                ["lowest_price", "average_price", "comprehensive_score"], LOTS, p=[0.5, 0.45, 0.05]
            ),
            "class": rng.choice(["A01", "A02"], LOTS),
            "opened_on": rng.choice(["2025-06-02", "2026-03-02"], LOTS),
            "ceiling_price": np.round(rng.uniform(5e5, 5e7, LOTS), 2),
        }
    )
    lot = np.repeat(np.arange(LOTS), sizes)
    niche = rng.integers(0, FIRMS // NICHE, LOTS)
    firm = np.concatenate(
        [n * NICHE + rng.choice(NICHE, size, replace=False) for n, size in zip(niche, sizes, strict=True)]
    )
    spread = rng.uniform(0.03, 0.10, LOTS)[lot]
    price = lots["ceiling_price"].to_numpy()[lot] * np.exp(rng.normal(-0.2, spread))
    bids = pd.DataFrame(
        {
            "lot_id": lots["lot_id"].to_numpy()[lot],
            "bidder_id": np.array([f"F{number:04}" for number in range(FIRMS)])[firm],
            "price": np.minimum(price, lots["ceiling_price"].to_numpy()[lot]).round(2),
        }
    )
    who = bids[["lot_id", "bidder_id"]]
    own = who["bidder_id"] + np.char.add("-", rng.integers(0, 3, len(bids)).astype(str))
    machine = who.assign(
        mac=own, cpu_id=own, disk_serial=own, memory_serial=own, dongle=who["bidder_id"], ip=own
    ).assign(created_id=who["lot_id"] + own)
    # Once in every niche all bidders of a lot have their prices printed by the same copy shop.
    at_shop = np.isin(lot, pd.DataFrame({"niche": niche, "size": sizes}).groupby("niche")["size"].idxmax())
    machine["dongle"] = machine["dongle"].where(~at_shop, "copy shop " + machine["lot_id"])
    person = who.assign(person_id="h1:i" + own, person="h1:n" + own, phone="h1:p" + own)
    frames = {
        **evaluated(lots, bids, decided(lots, bids)),
        "fingerprints": pd.concat([machine.assign(purpose="pricing"), machine.assign(purpose="upload")]),
        "people": pd.concat(
            [person.assign(role="project_manager"), person.assign(role="agent", person_id="h1:a" + own)]
        ),
        "deposits": who.assign(account="h1:c" + who["bidder_id"]),
        "document_purchases": who.assign(
            account="h1:c" + who["bidder_id"], purchase_ip=own, purchase_browser="B", download_ip=own
        ),
        "parties": registered(FIRMS),
        "relations": pd.DataFrame(
            {
                "party_id": [f"F{number:04}" for number in range(50)],
                "holder_id": [f"OUTSIDE{number:04}" for number in range(50)],
                "holder_share": 0.6,
            }
        ),
        "penalties": pd.DataFrame(
            {
                "party_id": [f"F{number:04}" for number in range(60)],
                "decision_no": [f"D{number}" for number in range(60)],
                "starts_on": "2023-01-01",
                "ends_on": "2024-12-31",
            }
        ),
        # The office watches two firms: one that bids in other counties, and one that bids here now and then.
        "listed_parties": pd.DataFrame(
            {
                "entry_id": ["ZD1", "ZD2"],
                "list": "watch",
                "party_id": ["OUTSIDE0000", "F0000"],
                "starts_on": "2020-01-01",
                "ends_on": "2030-12-31",
                "review_on": "2027-01-01",
            }
        ),
    }
    return aftermath(lots, bids, frames) | documented(lots, bids)
