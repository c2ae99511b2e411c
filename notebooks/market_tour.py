"""A tour of the market in the current snapshot: how many bids, how close, and what each detector could judge."""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import altair as alt
    import marimo as mo

    from pipelines import duck, settings
    from pipelines.snapshot import warehouse
    from pipelines.store import opened

    return alt, duck, mo, opened, settings, warehouse


@app.cell
def _(duck, opened, settings, warehouse):
    home = settings.home()
    with opened(home.control) as store:
        snapshot = store.current_snapshot()
    con = duck.open_snapshot(home.snapshot(snapshot))
    return con, snapshot


@app.cell
def _(con, mo, snapshot):
    methods = con.sql(
        """
        SELECT coalesce(award_method, 'unknown') AS award_method, currency, count(*) AS lots,
               median(bids) AS bids, median(cv) AS cv
        FROM feat.lot_prices
        GROUP BY ALL
        ORDER BY lots DESC
        """
    ).df()
    mo.vstack([mo.md(f"## Snapshot {snapshot}"), methods])
    return


@app.cell
def _(alt, con, mo):
    spread = con.sql("SELECT award_method, cv FROM feat.lot_prices WHERE bids >= 3 AND cv < 0.5").df()
    chart = (
        alt.Chart(spread.sample(min(len(spread), 5_000), random_state=1))
        .mark_bar()
        .encode(
            x=alt.X("cv", bin=alt.Bin(maxbins=50), title="coefficient of variation of a lot 变异系数"),
            y=alt.Y("count()", title="lots 标段数"),
            color="award_method",
        )
    )
    mo.vstack([mo.md("## How close are the bids of a lot?"), chart])
    return


@app.cell
def _(con, mo):
    judged = con.sql(
        """
        SELECT detector, count(DISTINCT unit) AS judged, count(*) FILTER (WHERE flagged) AS flagged
        FROM risk.screened
        GROUP BY detector
        ORDER BY detector
        """
    ).df()
    mo.vstack([mo.md("## What could be judged, and what was flagged"), judged])
    return


if __name__ == "__main__":
    app.run()
