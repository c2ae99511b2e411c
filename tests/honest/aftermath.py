"""What follows the award in the honest market, what bids state, and rounds that failed."""

import numpy as np
import pandas as pd


def aftermath(lots, bids, frames):
    """Add what follows the award and what bids state, failed first rounds, places, mailboxes and guarantees."""
    rng = np.random.default_rng(20260304)
    return (
        frames
        | delivered(frames, rng)
        | stated(bids, frames, rng)
        | failed_rounds(lots, bids, frames, rng)
        | {
            "expert_scores": scored(lots, bids, rng),
            **contacts(bids, frames, rng),
            "penalties": frames["penalties"].assign(
                issuer_region_code=rng.choice(["410821", "410822", "410100"], len(frames["penalties"]))
            ),
        }
    )


def delivered(frames, rng):
    """Payments in two parts, a few of them in dispute; acceptances and changes of many contracts."""
    signed = frames["contracts"]
    signed_on = pd.to_datetime(signed["signed_on"])
    late = rng.random(len(signed)) < 0.005
    parts = [(0.7, 150, np.full(len(signed), True)), (0.3, 700, ~late)]
    payments = pd.concat(
        signed.assign(
            payment_no=f"P{number}-" + signed["lot_id"],
            payee_id=signed["supplier_id"],
            amount=signed["price"] * np.where(late, 0.3, share),
            paid_on=(signed_on + pd.to_timedelta(days + rng.integers(0, 60, len(signed)), unit="D")).dt.date,
        )[is_paid]
        for number, (share, days, is_paid) in enumerate(parts)
    )
    # The records of payments begin before the first of these contracts and are kept to this day.
    edges = payments.head(2).assign(
        payment_no=["edge-1", "edge-2"], amount=1.0, paid_on=pd.to_datetime(["2025-01-02", "2028-01-03"]).date
    )
    changed = signed.sample(n=1200, random_state=4)
    quantity = np.exp(rng.normal(6, 2, len(changed)))
    amount = changed["price"] * 0.1
    growth = np.exp(rng.normal(0, 0.25, len(changed)))
    accepted = signed.sample(n=1500, random_state=5)
    return {
        "payments": pd.concat([payments, edges])[["lot_id", "payment_no", "payee_id", "amount", "paid_on"]],
        "changes": pd.DataFrame(
            {
                "lot_id": changed["lot_id"],
                "contract_no": changed["contract_no"],
                "change_no": "B-1",
                "item": "earthwork",
                "quantity_before": quantity.round(2) + 1,
                "quantity_after": (quantity * growth).round(2) + 1,
                "amount_before": amount.round(2),
                "amount_after": (amount * growth).round(2),
            }
        ),
        "acceptances": pd.DataFrame(
            {
                "lot_id": accepted["lot_id"],
                "accepted_on": (pd.to_datetime(accepted["signed_on"]) + pd.Timedelta(days=240)).dt.date,
                "settled_price": (accepted["price"] * np.exp(rng.normal(0, 0.03, len(accepted)))).round(2),
            }
        ),
    }


def stated(bids, frames, rng):
    """Every bidder states its own certificate, which is in the register, and works that it won before."""
    firms = pd.Series(sorted(bids["bidder_id"].unique()))
    register = pd.DataFrame(
        {
            "party_id": firms,
            "certificate_no": "D" + firms,
            "kind": "building",
            "class": rng.choice(["class_1", "class_2", "class_3"], len(firms)),
            "valid_from": "2021-01-01",
            # The renewals of two firms were not entered.
            "valid_to": ["2024-12-31"] * 2 + ["2027-12-31"] * (len(firms) - 2),
        }
    )
    certificates = bids[["lot_id", "bidder_id"]].merge(
        register[["party_id", "certificate_no", "kind", "class"]].rename(columns={"party_id": "bidder_id"})
    )
    opened_on = frames["lots"].set_index("lot_id")["opened_on"]
    won = frames["contracts"].rename(columns={"lot_id": "claimed_lot_id", "supplier_id": "bidder_id"})
    won = won[won["claimed_lot_id"].map(opened_on) == "2025-06-02"].drop_duplicates("bidder_id")
    later = bids[bids["lot_id"].map(opened_on) == "2026-03-02"][["lot_id", "bidder_id"]]
    claimed = later.merge(won[["claimed_lot_id", "bidder_id", "price", "signed_on"]]).assign(work_no="1")
    mistyped = rng.random(len(claimed)) < 0.003
    claimed["price"] = claimed["price"].where(~mistyped, claimed["price"] * 10)
    return {"qualifications": register, "stated_certificates": certificates, "claimed_works": claimed}


def failed_rounds(lots, bids, frames, rng):
    """Some lots had a first round that failed after the opening; the same firms had priced it independently."""
    size = bids.groupby("lot_id")["bidder_id"].transform("size")
    chosen = lots[lots["lot_id"].isin(bids.loc[size >= 6, "lot_id"])].head(900)["lot_id"]
    again = frames["lots"].assign(
        lot_name="lot of " + frames["lots"]["lot_id"],
        re_tender_no=np.where(frames["lots"]["lot_id"].isin(chosen), 2, 1),
        place_name=rng.choice([f"Town {number}" for number in range(6)], len(lots)),
    )
    first = again[again["lot_id"].isin(chosen)]
    first = first.assign(lot_id="R" + first["lot_id"], re_tender_no=1)
    seats = frames["bids"][frames["bids"]["lot_id"].isin(chosen)]
    ceiling = seats["lot_id"].map(lots.set_index("lot_id")["ceiling_price"])
    moved = seats["price"] * np.exp(rng.normal(0, 0.03, len(seats)))
    seats = seats.assign(
        lot_id="R" + seats["lot_id"], price=np.minimum(moved, ceiling).round(2), is_winner=False
    )
    return {
        "lots": pd.concat([again, first], ignore_index=True),
        "bids": pd.concat([frames["bids"], seats], ignore_index=True),
    }


def scored(lots, bids, rng):
    """Four of eight experts of each niche score every bidder: kind or strict, narrow or wide, and by themselves."""
    seats = bids.assign(quality=rng.normal(80, 6, len(bids)))
    niche = seats["bidder_id"].str[1:].astype(int) // 20
    panel = pd.DataFrame(
        {
            "lot_id": np.repeat(lots["lot_id"].to_numpy(), 4),
            "expert_key": rng.permuted(np.tile(np.arange(8), (len(lots), 1)), axis=1)[:, :4].ravel(),
        }
    )
    rows = seats.assign(niche=niche).merge(panel, on="lot_id")
    expert = rows["niche"] * 8 + rows["expert_key"]
    kindness, width = rng.normal(0, 5, 160)[expert], rng.uniform(0.5, 2, 160)[expert]
    score = 80 + kindness + width * (rows["quality"] - 80 + rng.normal(0, 3, len(rows)))
    return rows[["lot_id", "bidder_id"]].assign(
        expert_key=expert.astype(str),
        expert_id="h1:s" + expert.astype(str),
        score=score.clip(0, 100).round(1),
    )


def contacts(bids, frames, rng):
    """Each firm has a mailbox; half of the lots take guarantees, some of them bought at one salesman's."""
    deposits = frames["deposits"]
    by_guarantee = deposits["lot_id"].str[-1].isin(list("02468"))
    guarantees = deposits[by_guarantee].assign(
        form="guarantee",
        is_guarantee=True,
        premium_account=deposits["account"].where(deposits["lot_id"].str[-2:] != "00", "h1:salesman"),
        account="h1:insurer",
    )
    return {
        "deposits": pd.concat(
            [deposits[~by_guarantee].assign(form="transfer", is_guarantee=False), guarantees]
        ),
        "people": frames["people"].assign(email="h1:b" + frames["people"]["bidder_id"]),
        "parties": frames["parties"].assign(email="h1:b" + frames["parties"]["party_id"]),
    }
