"""The real sets of bids, brought into one form: one row per bid of a lot.

The files are described in the README of their folder (``BIDWATCH_REAL_DATA``, else ``../shared/data`` beside
the repository). What each set can tell, and what was decided here:

brazil_petrobras    100 lots, winners, no bidders. The "Brazil" of García Rodríguez et al. (2022) from its copy in
                    reais. The estimate does not bind (most bids lie above it): it is no ceiling.
italy, united_states, switzerland
                    The same paper; no bidders. Prices were converted to euro, so their digits say nothing.
                    Italy awards by average price, the others by lowest price.
brazil_comprasnet   Open auctions on a screen, the last lance of a firm (its lowest, in every case). A firm that
                    drops out early stands far above, one that stays undercuts by little: ``is_sealed`` is false,
                    gaps between prices and times of lances say nothing about sealed bids. The estimate does not bind.
japan_tsuchiura     One city's works with reserve price, bidder, winner. Where a firm stands twice in an auction
                    (28 times) the lower price counts. ``is_cartel`` is the researchers' guess: not a label.
worldbank           Bidders and winners, no ceiling, amounts in many currencies (no digits). A price counts where
                    all opening prices of the contract are in one currency. Contracts in which a firm stands
                    twice are several lots that nothing tells apart: left out. One name is spelt in many ways,
                    so bidders are too many and meet too rarely.
brazil_parana_2023, _2024
                    Mostly the winner alone is listed: ``is_whole`` is false, only the digits of the prices and the
                    winners can be used. Tenders by lowest price; a firm that stands twice in a lot counts once.
korea_heritage      One trade, three years, everything known. The benchmark is drawn after bidding: average_price.
armenia             Lots put to tender (direct awards left out). ``date`` is the opening: no upload times. A lot's
                    winner is its award's supplier, as far as one is stated.
huainan_1, huainan_3, lishui
                    One opening each, 151, 547 and 76 bids. The reference price of huainan_3's 下浮率 lies below 42 %
                    of its bids: no ceiling.
lishui_openings     Numbers of bidders and control prices 2009-2023; openings with no bidders read are left out.
hangzhou_openings   Numbers of bidders 2023 and, for a third of the lots, the winner's price, cut to whole yuan,
                    and the budget (预算, no winner above it), which stands for the ceiling. A lot listed
                    twice with one opening time counts once.

Every bid keeps its row even if its price cannot be used; ``fault`` then says why: ``missing``, ``not positive``,
or ``unit slip`` - more than 8 times, or less than an eighth of, the median of a lot with three prices or more
(a slip of a decimal place is a factor of ten). A ceiling is dropped by the same rule against its lot's median.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd

UNIT_SLIP = 8.0  # factor: a decimal place is 10, bids of a lot stay within 5 of their median in the paper's other sets
COLUMNS = """
    lot VARCHAR, bidder VARCHAR, price DOUBLE, fault VARCHAR, ceiling DOUBLE,
    currency VARCHAR,             -- NULL where prices were converted or mixed: their digits say nothing
    is_cut BOOLEAN,               -- the source cut the cents off
    submitted_at TIMESTAMP, opening_at TIMESTAMP,    -- UTC; real dates of a lot only, else NULL
    is_winner BOOLEAN, award_method VARCHAR, trade VARCHAR,
    is_collusive BOOLEAN,         -- the lot's label, NULL where the set has none
    is_whole BOOLEAN,             -- the lot's bidders are all listed
    is_sealed BOOLEAN             -- bids were handed in without knowing the others
"""
AWARD_METHODS = ("lowest_price", "average_price", "comprehensive_score")  # and unknown


def folder() -> Path:
    """Return the folder of the real sets; it need not exist."""
    default = Path(__file__).parents[3] / "shared" / "data"
    return Path(os.environ.get("BIDWATCH_REAL_DATA", default))


def load(name: str, data: Path) -> pd.DataFrame:
    """Return one set's bids: ``set`` and the columns of ``COLUMNS``, prices in the set's currency.

    Raises:
        KeyError: no set of that name.
    """
    con = duckdb.connect(config={"threads": 2})
    try:
        con.execute(f"CREATE TABLE bids ({COLUMNS})")
        con.execute(f"INSERT INTO bids BY NAME {SETS[name](data)}")
        con.execute(
            """
            UPDATE bids SET award_method = coalesce(award_method, 'unknown'), is_whole = coalesce(is_whole, TRUE),
                            is_sealed = coalesce(is_sealed, TRUE), is_cut = coalesce(is_cut, FALSE),
                            fault = CASE WHEN price IS NULL OR isnan(price) THEN 'missing'
                                         WHEN price <= 0 THEN 'not positive' END
            """
        )
        con.execute(
            """
            UPDATE bids SET fault = 'unit slip' FROM (
                SELECT lot, median(price) AS middle FROM bids WHERE fault IS NULL GROUP BY lot HAVING count(*) >= 3
            ) AS m
            WHERE bids.lot = m.lot AND fault IS NULL AND price NOT BETWEEN middle / $slip AND middle * $slip
            """,
            {"slip": UNIT_SLIP},
        )
        con.execute("UPDATE bids SET price = NULL WHERE fault IS NOT NULL")
        con.execute(
            """
            UPDATE bids SET ceiling = NULL FROM (
                SELECT lot, median(price) / max(ceiling) AS share FROM bids GROUP BY lot
            ) AS m
            WHERE bids.lot = m.lot AND (share NOT BETWEEN 1 / $slip AND $slip OR ceiling <= 0)
            """,
            {"slip": UNIT_SLIP},
        )
        bids: pd.DataFrame = con.sql("SELECT * FROM bids ORDER BY lot, bidder, price").df()
    finally:
        con.close()
    bids.insert(0, "set", name)
    return bids.astype({"is_winner": "boolean", "is_collusive": "boolean", "bidder": "str", "trade": "str"})


# ---- one function per set: the SELECT over its files


def brazil_petrobras(data: Path) -> str:
    """Petrobras, with winners."""
    return f"""
        SELECT CAST("Tender" AS INTEGER) AS lot, "Bid_value" AS price, 'BRL' AS currency, "Winner" = 1 AS is_winner,
               'lowest_price' AS award_method,
               max("Collusive_competitor") OVER (PARTITION BY "Tender") = 1 AS is_collusive
        FROM '{data}/brazil_carwash/original.parquet'"""


def garcia2022(data: Path, file: str, award_method: str) -> str:
    """One of the paper's sets: prices and a label."""
    return f"""
        SELECT CAST("Tender" AS INTEGER) AS lot, "Bid_value" AS price, '{award_method}' AS award_method,
               "Collusive_competitor" = 1 AS is_collusive
        FROM '{data}/garcia2022/{file}.parquet'"""


def italy(data: Path) -> str:
    """Average-price auctions of road works."""
    return garcia2022(data, "italy", "average_price")


def united_states(data: Path) -> str:
    """School milk: prices per unit."""
    return garcia2022(data, "united_states", "lowest_price")


def switzerland(data: Path) -> str:
    """Road works of Graubünden and See-Gaster."""
    return garcia2022(data, "switzerland_gr_see_gaster", "lowest_price")


def brazil_comprasnet(data: Path) -> str:
    """Last lance of every firm; a lot is collusive where a punished firm bid."""
    return f"""
        SELECT "Tender" AS lot, "Competitor" AS bidder, arg_max("Bid_value", "Date") AS price, 'BRL' AS currency,
               max("Winner") = 1 AS is_winner, 'lowest_price' AS award_method, FALSE AS is_sealed,
               bool_or(max("Collusive_competitor_original") = 1) OVER (PARTITION BY "Tender") AS is_collusive
        FROM '{data}/brazil_comprasnet/bids.parquet' GROUP BY "Tender", "Competitor" """


def japan_tsuchiura(data: Path) -> str:
    """Works of one city; the reserve price is the ceiling."""
    return f"""
        SELECT pid AS lot, bidder, min(nullif(bid, 'NaN')) AS price, any_value(reserveprice) AS ceiling,
               'JPY' AS currency, max(winner) = 1 AS is_winner, 'lowest_price' AS award_method
        FROM '{data}/japan_tsuchiura/bids.parquet' GROUP BY pid, bidder"""


def worldbank(data: Path) -> str:
    """Contracts of one lot."""
    return f"""
        WITH lots AS (
            SELECT contract, count(DISTINCT "opening.price.currency") AS currencies,
                   count(*) AS bids, count(DISTINCT "bidder.name") AS bidders
            FROM '{data}/worldbank/bids.parquet' GROUP BY contract
        )
        SELECT contract AS lot, "bidder.name" AS bidder,
               CASE WHEN currencies = 1 THEN "opening.price.amount" END AS price, status = 'Awarded' AS is_winner
        FROM '{data}/worldbank/bids.parquet' JOIN lots USING (contract) WHERE bids = bidders"""


def brazil_parana(data: Path, year: int) -> str:
    """Listed participants of tenders by lowest price."""
    return f"""
        SELECT concat_ws(' ', modalidade, numprocesso, nrlote) AS lot, cnpjcpfparticipante AS bidder,
               min(valorpropostolote) AS price, 'BRL' AS currency, bool_or(colocacao = '1') AS is_winner,
               'lowest_price' AS award_method, FALSE AS is_whole, FALSE AS is_sealed
        FROM '{data}/brazil_parana/participants_{year}.parquet'
        SEMI JOIN (
            SELECT modalidade, numprocesso FROM '{data}/brazil_parana/tenders_{year}.parquet'
            GROUP BY modalidade, numprocesso HAVING bool_and(criteriojulgamento = 'Menor Preço')
        ) AS t USING (modalidade, numprocesso)
        GROUP BY modalidade, numprocesso, nrlote, cnpjcpfparticipante"""


def korea_heritage(data: Path) -> str:
    """Surveys and design for cultural heritage; times are local time less nine hours."""
    time = "%Y/%m/%d %H:%M:%S"
    return f"""
        SELECT b."공고번호" AS lot, b."사업자등록번호" AS bidder,
               CAST(replace(b."투찰금액", ',', '') AS DOUBLE) AS price,
               CAST(regexp_replace(t."예정가격", '[,원]', '', 'g') AS DOUBLE) AS ceiling, 'KRW' AS currency,
               try_strptime(b."투찰일시", '{time}') - INTERVAL 9 HOUR AS submitted_at,
               try_strptime(t."개찰일", '{time}') - INTERVAL 9 HOUR AS opening_at,
               b."순위" = '1' AS is_winner, 'average_price' AS award_method
        FROM '{data}/korea_heritage/bids_2022_2024.parquet' AS b
        JOIN '{data}/korea_heritage/tenders_2022_2024.parquet' AS t USING ("공고번호")"""


def armenia(data: Path) -> str:
    """Bids of OCDS releases; a lot of a tender that was not a direct award."""
    return f"""
        WITH releases AS (
            SELECT json AS r FROM read_ndjson_objects('{data}/ocds/armenia_releases.jsonl.zst')
            WHERE (json->'bids') IS NOT NULL AND (json->'tender'->>'procurementMethod') <> 'direct'
        ),
        bids AS (SELECT unnest(from_json(r->'bids'->'details', '["JSON"]')) AS bid FROM releases),
        awards AS (SELECT unnest(from_json(r->'awards', '["JSON"]')) AS award FROM releases),
        winners AS (
            SELECT DISTINCT unnest(from_json(award->'relatedLots', '["JSON"]'))->>'lotId' AS lot,
                   award->'suppliers'->0->>'id' AS winner
            FROM awards WHERE (award->>'status') = 'active'
        )
        SELECT bid->>'relatedLot' AS lot, bid->'tenderers'->0->>'id' AS bidder,
               CAST(bid->'value'->>'amount' AS DOUBLE) AS price, 'AMD' AS currency,
               bidder IN (SELECT winner FROM winners AS w WHERE w.lot = (bid->>'relatedLot')) AS is_winner,
               'lowest_price' AS award_method
        FROM bids"""


def huainan_1(data: Path) -> str:
    """One opening; the ceiling follows from price and discount."""
    return f"""
        SELECT 'huainan_1' AS lot, "投标单位名称" AS bidder, CAST("投标报价" AS DOUBLE) AS price,
               round(median("投标报价" / (1 - "下浮率" / 100)) OVER (), 2) AS ceiling, 'CNY' AS currency
        FROM '{data}/china/huainan_opening_1.parquet'"""


def huainan_3(data: Path) -> str:
    """One opening with a drawn parameter."""
    return f"""
        SELECT 'huainan_3' AS lot, "投标单位名称" AS bidder, CAST("投标报价" AS DOUBLE) AS price,
               'CNY' AS currency, 'average_price' AS award_method
        FROM '{data}/china/huainan_opening_3.parquet'"""


def lishui(data: Path) -> str:
    """One opening; the ceiling follows from price and discount."""
    return f"""
        SELECT 'lishui' AS lot, "投标单位名称" AS bidder, CAST("投标报价" AS DOUBLE) AS price,
               round(median("投标报价" / (1 - "下浮率" / 100)) OVER ()) AS ceiling, 'CNY' AS currency
        FROM '{data}/china/lishui_opening_bids.parquet'"""


def lishui_openings(data: Path) -> str:
    """As many rows as an opening had bidders."""
    return f"""
        SELECT lot, ceiling, trade FROM (
            SELECT "网址" AS lot, nullif(zbkzj, 0) AS ceiling, "项目类型" AS trade,
                   unnest(range("投标单位数量"))
            FROM '{data}/china/lishui_openings.parquet'
        )"""


def hangzhou_openings(data: Path) -> str:
    """As many rows as an opening had bidders, the first with the winner's price where it is known."""
    return f"""
        WITH openings AS (
            SELECT tenderid, "开标时间", any_value("项目编号") AS number, any_value(project_type) AS trade,
                   max("投标单位数量") AS bids
            FROM '{data}/china/hangzhou_openings.parquet' GROUP BY tenderid, "开标时间"
        ),
        results AS (
            SELECT "项目编号" AS number, max("中标金额") AS won_at, max("预算") * 10000 AS budget
            FROM '{data}/china/hangzhou_joined.parquet' GROUP BY "项目编号" HAVING count(*) = 1
        ),
        latest AS (
            SELECT *, row_number() OVER (PARTITION BY number ORDER BY strptime("开标时间", '%Y/%m/%d %H:%M') DESC) AS back
            FROM openings
        ),
        bids AS (
            SELECT concat_ws(' ', tenderid, "开标时间") AS lot, l.number, trade, back, unnest(range(bids)) AS place
            FROM latest AS l
        )
        SELECT lot, trade, 'CNY' AS currency, TRUE AS is_cut, nullif(budget, 'NaN') AS ceiling,
               CASE WHEN place = 0 THEN won_at END AS price, CASE WHEN won_at > 0 THEN place = 0 END AS is_winner
        FROM bids LEFT JOIN results ON bids.number = results.number AND back = 1"""


SETS: dict[str, Callable[[Path], str]] = {
    "brazil_petrobras": brazil_petrobras,
    "italy": italy,
    "united_states": united_states,
    "switzerland": switzerland,
    "brazil_comprasnet": brazil_comprasnet,
    "japan_tsuchiura": japan_tsuchiura,
    "worldbank": worldbank,
    "brazil_parana_2023": lambda data: brazil_parana(data, 2023),
    "brazil_parana_2024": lambda data: brazil_parana(data, 2024),
    "korea_heritage": korea_heritage,
    "armenia": armenia,
    "huainan_1": huainan_1,
    "huainan_3": huainan_3,
    "lishui": lishui,
    "lishui_openings": lishui_openings,
    "hangzhou_openings": hangzhou_openings,
}
