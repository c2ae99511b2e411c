-- The invented county in a DuckDB file: what is true in it, before anyone delivers anything.
-- `county` fills it, `tags/*.sql` says what the trading centre delivers of it, `truth_files/*.sql` what the truth
-- files say. One row of every table is described in its first line.
-- Money is whole fen (`_fen`), times are local (Asia/Shanghai) TIMESTAMPs, whole seconds. People, computers,
-- dongles, phones and accounts are numbers; `identity.sql` turns a number into the text that a centre writes.
-- -1 means there is none; the fillers (placeholders) and shared values have numbers of their own in `identity.sql`.
CREATE SCHEMA world;

CREATE TABLE world.firms (           -- one row per firm that can bid
    firm INTEGER, market INTEGER,    -- running number from 0; number of its home market (region x segment)
    region_code VARCHAR, segment VARCHAR,
    name VARCHAR, code VARCHAR,      -- registered name, 18-character credit code
    former_name VARCHAR,             -- NULL, or the name before a change
    head INTEGER,                    -- person: the legal representative
    owner INTEGER,                   -- firm that holds it, -1 none
    owner_share DOUBLE,              -- share held by `owner`
    registered_on DATE, is_local BOOLEAN, level INTEGER   -- qualification level: 1 highest, 3 lowest
);
CREATE TABLE world.buyers (          -- one row per buyer
    buyer INTEGER, name VARCHAR, code VARCHAR, region_code VARCHAR
);
CREATE TABLE world.agencies (        -- one row per tendering agency
    agency INTEGER, name VARCHAR, code VARCHAR, phone VARCHAR, region_code VARCHAR
);
CREATE TABLE world.lots (            -- one row per lot, in order of `lot`, which is the order of opening
    lot INTEGER,                     -- running number from 0
    lot_id VARCHAR, tender_id VARCHAR, project_id VARCHAR, deal_code VARCHAR,
    is_first_of_tender BOOLEAN,      -- the tender's own record is delivered with its first lot
    lot_name VARCHAR, tender_name VARCHAR,
    segment VARCHAR,                 -- see segments.SEGMENTS
    project_type VARCHAR, class_code VARCHAR,
    regime VARCHAR,                  -- construction | government_procurement
    channel VARCHAR,                 -- housing | old_system | exchange | procurement | sheet: how it is delivered after the first night
    region_code VARCHAR, buyer INTEGER, agency INTEGER,
    supervisor_name VARCHAR,
    attempt INTEGER,                 -- 招标次数: 1, 2 for a re-tender
    rule VARCHAR,                    -- id in data/reference/award_rules.toml
    method_text VARCHAR,             -- EVALUATING_METHOD
    draws VARCHAR,                   -- VALUE_RESULT: what was drawn at the opening ('K=0.88;C=0.45'), NULL none
    balls VARCHAR,                   -- ROLL_BALL_LIST
    benchmark_fen DOUBLE,            -- 评标基准价, NULL where the rule has none
    ceiling_fen BIGINT, estimate_fen BIGINT, deposit_fen BIGINT,
    is_ten_thousand BOOLEAN,         -- prices delivered in 万元 (flag 1)
    is_by_rate BOOLEAN,              -- bid as a discount: PRICE_FORM_CODE 2, OTHER_BID_PRICE 下浮率x%
    is_electronic BOOLEAN,           -- electronic bidding; before it, the centre kept bids and awards and nothing more
    has_traces BOOLEAN,              -- fingerprints, deposits and purchases exist: electronic works
    buyer_machine BIGINT, buyer_dongle BIGINT,   -- behind the ceiling-price list, -1 none
    published_at TIMESTAMP, document_at TIMESTAMP,
    first_opening_at TIMESTAMP,      -- the opening time before it was moved; NULL not moved
    moved_at TIMESTAMP,              -- when the moving clarification was issued
    opening_at TIMESTAMP,
    status VARCHAR,                  -- awarded | failed (under three bids, none the rule can score, or as in again.sql)
    shown_at TIMESTAMP, signed_at TIMESTAMP,     -- award notice, contract; NULL where failed
    winner INTEGER,                  -- firm, -1 none
    winner_fen BIGINT,
    contract_fen BIGINT,
    subcontractor INTEGER,           -- firm, -1 none
    subcontract_fen BIGINT, subcontracted_at TIMESTAMP
);
CREATE TABLE world.bids (            -- one row per bid, in order of lot, firm
    lot INTEGER, firm INTEGER, partner INTEGER,          -- joint venture partner (firm), -1 none
    price_fen BIGINT, cost_fen BIGINT,
    discount DOUBLE,                 -- 下浮率 in percent off the ceiling, as bid where lots.is_by_rate, else NULL
    duration_days INTEGER,
    submitted_at TIMESTAMP, purchased_at TIMESTAMP, deposited_at TIMESTAMP,
    manager INTEGER, leader INTEGER, operator INTEGER, agent INTEGER,   -- persons: project manager, technical leader
    operator_phone BIGINT, agent_phone BIGINT,           -- phone numbers (see identity.sql)
    deposit_form VARCHAR,            -- 转账 | 电子保函
    account BIGINT,                  -- that paid the deposit
    edit_machine BIGINT, upload_machine BIGINT, pricing_machine BIGINT, dongle BIGINT,
    ip BIGINT, is_on_site BOOLEAN,
    file_id BIGINT,                  -- 文件创建标识码
    has_buyers_entry BOOLEAN,        -- the buyer's computer and dongle stand in this bid's pricing file too
    price_score DOUBLE, other_score DOUBLE, score DOUBLE, -- NULL where the rule gives no scores
    rank INTEGER,                    -- 1 the winner; NULL where failed or rejected
    veto VARCHAR,                    -- reason of rejection, NULL none
    name_form INTEGER,               -- how the centre wrote the name: 0 as registered, 1 full-width brackets and spaces, 2 former name, 3 with 分公司
    code_form INTEGER,               -- 0 credit code, 1 nine-character organisation code, 2 fifteen-digit old number, 3 none
    is_wrong_unit BOOLEAN,           -- the price was typed in 万元 under a flag that says 元
    ring INTEGER, role VARCHAR       -- -1; role: honest | winner | cover | ladder | cluster | support | loser_for_hire
);
CREATE TABLE world.experts (         -- one row per seat on an evaluation committee
    lot INTEGER, expert INTEGER, seat INTEGER, is_chair BOOLEAN     -- expert: person
);
CREATE TABLE world.rings (           -- one row per ring
    ring INTEGER, tactic VARCHAR, care INTEGER,
    market INTEGER, members INTEGER[], buyer INTEGER, agency INTEGER,
    started_on DATE, ended_on DATE, evidence VARCHAR[]
);
CREATE TABLE world.rigged (          -- one row per lot that a ring rigged, or gave up for fear of detection
    lot INTEGER, ring INTEGER, tactic VARCHAR, care INTEGER,
    designated INTEGER,              -- firm that was to win, -1 none
    is_forgone BOOLEAN,
    price_given_up_fen BIGINT        -- the winner's price by the greedy plan, less the price it bid
);
CREATE TABLE world.links (           -- one row per trace left in a lot, or look-alike put into it
    lot INTEGER, what VARCHAR, ring INTEGER, firms INTEGER[], is_innocent BOOLEAN, note VARCHAR
);
CREATE TABLE world.papers (          -- one row per document and owner; see papers.py
    lot INTEGER, firm INTEGER,       -- -1: the buyer's own, or a form that stands behind every lot
    kind VARCHAR,                    -- FILE_KIND: 1 bid, 2 tender document, 3 standard form
    name VARCHAR, hash VARCHAR       -- hexadecimal: SHA-256, of some bidders MD5
);
CREATE TABLE world.bans (            -- one row per entry of the blacklist feed
    ban INTEGER, firm INTEGER, record_no VARCHAR, decision_no VARCHAR, reason VARCHAR, action VARCHAR,
    issuer VARCHAR, starts_on DATE, ends_on DATE, decided_at TIMESTAMP, withdrawn_at TIMESTAMP
);
