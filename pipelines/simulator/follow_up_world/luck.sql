-- Chance by name, and texts that only the follow-up records have. `seed` is a variable of the connection.
--
-- Every fact draws its own number from the seed, its purpose and its two keys: what one purpose draws never
-- disturbs another, and needs no order of rows. It has its own mixer: hash() may change with the version of DuckDB, and
-- MD5 of every key takes fifteen times as long.
CREATE SCHEMA follow_up;

-- One to one on 0 ... 2^31 - 1: an odd factor, then the high bits into the low ones.
CREATE OR REPLACE MACRO stirred(n) AS xor(n * 1103515245 & 2147483647, (n * 1103515245 & 2147483647) >> 15);
CREATE OR REPLACE MACRO purpose_key(what) AS
    CAST(md5_number_lower(getvariable('seed') || '/' || what) & 2147483647 AS BIGINT);
CREATE OR REPLACE MACRO first_stirred(what, a) AS stirred(stirred(xor(purpose_key(what), CAST(a AS BIGINT) & 2147483647)));
-- 0 <= luck < 1; a, b: whole numbers.
CREATE OR REPLACE MACRO luck(what, a, b) AS
    stirred(stirred(stirred(xor(first_stirred(what, a), CAST(b AS BIGINT) * 40503 & 2147483647)))) / 2147483648.0;
-- Of the normal distribution (Box and Muller), mean 0, standard deviation 1.
CREATE OR REPLACE MACRO normal_luck(what, a, b) AS
    sqrt(-2 * ln(greatest(luck(what || ' far', a, b), 1e-12))) * cos(2 * pi() * luck(what || ' way', a, b));
-- A whole number, first <= n <= last.
CREATE OR REPLACE MACRO luck_between(what, a, b, first, last) AS
    CAST(first + floor(luck(what, a, b) * (last - first + 1)) AS INTEGER);

-- Addresses under .example, which is reserved (RFC 2606).
CREATE OR REPLACE MACRO mail(name) AS name || '@yangli.example';
-- Streets of one region that are nowhere: the name says that it is a sample.
CREATE OR REPLACE MACRO street(region_name, road, number) AS region_name || '样例' || road || number || '号';

-- How much each level of care leaves (care.Care): share of the lots in which a trace is left; share of the rings
-- that leave a trace of one kind at all. A level that leaves no plain evidence leaves none of these.
CREATE TABLE follow_up.care (care INTEGER, leak_share DOUBLE, ring_share DOUBLE);

-- One row per seat of a ring in a lot that it rigged.
CREATE OR REPLACE VIEW follow_up.seats AS
SELECT b.lot, b.firm, b.ring, b.role, r.tactic, r.designated, c.leak_share, c.ring_share
FROM world.bids AS b
JOIN world.rigged AS r ON r.lot = b.lot AND r.ring = b.ring
JOIN follow_up.care AS c ON c.care = r.care
WHERE NOT r.is_forgone AND r.tactic <> 'none' AND c.ring_share > 0;

-- Which rings leave which of the traces that all tactics can leave. One row per ring and kind.
CREATE TABLE follow_up.habits (ring INTEGER, what VARCHAR);
