-- core.opening_draws: one row per lot with a draw or a benchmark price announced at its opening. Key: lot_id.
-- ball_list, drawn_values: as delivered, such as 'K=0.88;C=0.45'.
-- benchmark_price: in `currency`; *_cny only where the currency is CNY.
CREATE TABLE core.opening_draws AS
SELECT lot_id, ball_list, drawn_values, benchmark_price, currency,
       CASE WHEN currency = 'CNY' THEN benchmark_price END AS benchmark_price_cny, raw_sha, raw_section, raw_row
FROM stage.opening_draws
ORDER BY lot_id;
