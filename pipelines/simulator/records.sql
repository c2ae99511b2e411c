-- Macros of the records in tags/*.sql: how the exchange format writes times, amounts and keys.
-- Every tag is one SELECT with its fields as text and, for the delivery, the columns
--   known_at    when the centre knows the record; it is also its DATA_TIMESTAMP
--   stream      which system hands it over after the first night: old (tables), lines (JSON), xml
--   lot, firm   what records of one moment are ordered by
-- Lots of the channel `sheet` are in no tag: they are known from their opening sheet alone.
CREATE OR REPLACE MACRO stamp(t) AS strftime(t, '%Y%m%d%H%M%S');
CREATE OR REPLACE MACRO stamp_day(t) AS strftime(t, '%Y%m%d');
-- 元 with two decimals, or 万元 with six, which keep the fen.
CREATE OR REPLACE MACRO amount(fen, is_ten_thousand) AS
    CASE WHEN is_ten_thousand THEN CAST(CAST(fen AS DECIMAL(18, 0)) * 0.000001 AS VARCHAR)
         ELSE CAST(CAST(fen AS DECIMAL(18, 0)) * 0.01 AS VARCHAR) END;
CREATE OR REPLACE MACRO price_unit(is_ten_thousand) AS CASE WHEN is_ten_thousand THEN '1' ELSE '0' END;
-- 22 characters: system, dataset, number of the lot (or firm), number within it.
CREATE OR REPLACE MACRO data_key(dataset, number, place) AS
    'YL01' || dataset || lpad(CAST(CAST(number AS BIGINT) * 10000000 + place AS VARCHAR), 15, '0');
CREATE OR REPLACE MACRO stream_of(channel) AS
    CASE channel WHEN 'old_system' THEN 'old' WHEN 'procurement' THEN 'lines' WHEN 'housing' THEN 'lines' ELSE 'xml' END;
-- Bids are known when the opening is over, what the committee found an hour later.
CREATE OR REPLACE MACRO bids_known_at(opening_at) AS opening_at + INTERVAL 3 HOURS;
CREATE OR REPLACE MACRO scores_known_at(opening_at) AS opening_at + INTERVAL 4 HOURS;
-- The day on whose evening, at 23:00, a centre sends what it knows.
CREATE OR REPLACE MACRO sent_on(known_at) AS CAST(known_at + INTERVAL 3599 SECONDS AS DATE);
-- Of the truth files.
CREATE OR REPLACE MACRO cny(fen) AS CAST(fen AS DECIMAL(18, 0)) * 0.01;
CREATE OR REPLACE MACRO yes_no(fact) AS CASE WHEN fact THEN 'yes' ELSE 'no' END;
-- The tables of the housing system (住建), which also name the authorised agent.
CREATE OR REPLACE MACRO is_of_housing(project_type) AS project_type IN ('A01', 'A02', 'A98');
-- Every bid that is delivered as a record, with its lot, and name, code and price as the centre wrote them.
CREATE OR REPLACE VIEW world.written_bids AS
SELECT
    b.*,
    bids_known_at(l.opening_at) AS known_at,
    stream_of(l.channel) AS stream,
    l.lot_id, l.tender_id, l.regime, l.project_type, l.opening_at, l.shown_at, l.deposit_fen,
    l.is_electronic, l.has_traces, l.is_ten_thousand, l.is_by_rate,
    written_name(f.name, f.former_name, b.name_form) AS bidder_name,
    written_code(f.code, substr(f.code, 9, 9), old_registration_number(f.firm), b.code_form) AS bidder_code,
    f.region_code AS bidder_region_code,
    CASE WHEN l.is_by_rate THEN '/' ELSE amount(b.price_fen, l.is_ten_thousand OR b.is_wrong_unit) END AS price,
    price_unit(l.is_ten_thousand AND NOT b.is_wrong_unit) AS unit,
    CASE WHEN l.is_by_rate THEN '2' ELSE '1' END AS price_form,
    CASE WHEN l.is_by_rate THEN '下浮率' || CAST(CAST(b.discount AS DECIMAL(9, 2)) AS VARCHAR) || '%' END AS other_price
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN world.firms AS f ON f.firm = b.firm
WHERE l.channel <> 'sheet';
