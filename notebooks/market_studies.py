"""Whole markets: are bids missing just above the winner's, does any cost explain them, and who is lowest again?"""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import marimo as mo
    import numpy as np
    import pandas as pd

    from detectors.collusion import rebid_persistence
    from detectors.kernels.market_studies import cost_bounds, marginal_losers, margins, missing_bids
    from pipelines import duck, settings
    from pipelines.snapshot import warehouse
    from pipelines.store import opened

    return (
        cost_bounds,
        duck,
        marginal_losers,
        margins,
        missing_bids,
        mo,
        np,
        opened,
        pd,
        rebid_persistence,
        settings,
        warehouse,
    )


@app.cell
def _(duck, opened, settings, warehouse):
    home = settings.home()
    with opened(home.control) as store:
        snapshot = store.current_snapshot()
    con = duck.open_snapshot(home.snapshot(snapshot))
    bids = con.sql(
        """
        SELECT coalesce(l.class, 'unknown') AS class, CAST(year(l.opened_on) AS VARCHAR) AS year, b.lot_id,
               CAST(b.price_cny / l.ceiling_price_cny AS DOUBLE) AS price
        FROM core.bids AS b
        JOIN core.lots AS l USING (lot_id)
        WHERE b.is_valid AND l.award_method = 'lowest_price' AND l.ceiling_price_cny > 0 AND b.price_cny > 0
        ORDER BY ALL
        """
    ).df()
    return bids, con, snapshot


@app.cell
def _(bids, cost_bounds, margins, missing_bids, mo, np, pd, snapshot):
    #: Fewer bids say nothing of a gap.
    ENOUGH = 500
    #: What a bidder could have bid instead, share of its bid: a little less, a little more.
    DEVIATIONS = np.array([-0.02, -0.001, 0.001, 0.02])

    rows = []
    for market, own in bids.groupby("class"):
        margin = margins(own["price"].to_numpy(), pd.factorize(own["lot_id"])[0])
        gap = missing_bids(margin)
        if gap.bids < ENOUGH:
            continue
        cost = cost_bounds(own["price"].to_numpy(), margin, DEVIATIONS)
        rows.append(
            {
                "market class 类别": market,
                "bids 报价数": gap.bids,
                "at zero margin 零差距区间": " / ".join(map(str, gap.at_zero)),
                "fullest bin 最密区间": gap.peak,
                "p (gap 缺口)": gap.p_value,
                "cost at least 成本下限": cost.lower,
                "cost at most 成本上限": cost.upper,
                "fits competition 与竞争相容": cost.is_competitive,
            }
        )
    mo.vstack(
        [
            mo.md(
                f"""
                ## Lowest-price markets of snapshot {snapshot}

                Under competition a bid is as likely to lie just above its closest rival as just below it. Where a
                winner was agreed on, the others keep away: the bins around zero are empty. The second test asks
                whether any cost makes all these bids worth making. Both are about a market, never about one bid;
                a minimum price or a shared cost norm explains a gap as well.
                """
            ),
            pd.DataFrame(rows) if rows else mo.md(f"No class has {ENOUGH} bids or more."),
        ]
    )
    return


@app.cell
def _(con, marginal_losers, mo, pd, rebid_persistence):
    #: Close first rounds; fewer say nothing of who is lowest again.
    CLOSE_ENOUGH = 30

    rounds = con.sql(rebid_persistence.SQL).df()
    rounds["place"] = rounds.groupby("lot_id").cumcount()
    ceilings = con.sql(
        "SELECT lot_id, coalesce(class, 'unknown') AS class, CAST(ceiling_price AS DOUBLE) AS ceiling_price"
        " FROM core.lots WHERE ceiling_price > 0"
    ).df()
    studied = []
    for kind, lots in ceilings.merge(rounds[["lot_id"]].drop_duplicates()).groupby("class"):
        here = rounds[rounds["lot_id"].isin(lots["lot_id"])]
        first, second = (
            here.pivot_table(index="lot_id", columns="place", values=price).reindex(lots["lot_id"])
            for price in ("first_price", "price")
        )
        if first.shape[1] < 2:
            continue
        found = marginal_losers(first.to_numpy(), second.to_numpy(), lots["ceiling_price"].to_numpy())
        if found.lots < CLOSE_ENOUGH:
            continue
        studied.append(
            {
                "market class 类别": kind,
                "close first rounds 首轮接近": found.lots,
                "same one lowest again 次轮仍最低": found.again,
                "p (either as likely 各半)": found.p_value,
                "mean gap, share of ceiling 平均差距": found.mean_gap,
            }
        )
    mo.vstack(
        [
            mo.md(
                """
                ## Repeated lots: who is lowest again

                Of two firms that were nearly equal in a first round that failed, either should be the lower one in
                the second. Where it is the same one nearly always, the winner may have been agreed on; a firm with
                the lower cost explains it as well, the less so the nearer both were.
                """
            ),
            pd.DataFrame(studied)
            if studied
            else mo.md(f"No class has {CLOSE_ENOUGH} close first rounds or more."),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
