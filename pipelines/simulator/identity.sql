-- Number -> invented text: firms, people, phones, computers, accounts. Nothing here belongs to anybody.
-- Load with con.execute(text); the macros stay in the database, so that every cursor has them.
--
-- number                       text                                      why it is nobody's
-- organisation_code(n)         YL + 6 characters + check character       'YL' was chosen here; no issued code that we
--                              (GB 11714); 0 <= n < 31^6                 know begins so
-- credit_code(kind, region, n) kind + region + organisation code         the same: the region may be a real one
--                              + check character (GB 32100)
-- old_registration_number(n)   999999 + 9 digits                         no region has the code 999999
-- person_name(p)               样例 + 2 of 60 x 60 characters             says that it is a sample; by chance two of
--                                                                        3,600 people share a name
-- person_id(p)                 999999 + birth day + number + check       no region has the code 999999, and nobody
--                              digit (GB 11643)                          born from 1850 to 1899 is alive
-- phone(n)                     12 + 9 digits                             no Chinese mobile number begins with 12
-- mac(m)                       D0-00- + 4 bytes                          no maker in the lists that we know begins with
--                                                                        D0-00; 0xD0 has the bit of local
--                                                                        administration off
-- cpu(m)                       BFEBFBFF00040651 and 11 more              names a model, so many computers share one
-- disk(m)                      YLD + 8 hexadecimal digits                made up here
-- ip(i)                        198.18.0.0/15, 100.64.0.0/10              benchmarking (RFC 2544) and carriers' inside
--                                                                        (RFC 6598): neither is routed
-- dongle(d)                    YL + 8 or more digits                     made up here
-- account(a)                   9999 + 12 digits + 0 to 3 noughts         made up here
-- file_code(f), file_md5(…)    YLF + 13 digits, 32 hexadecimal digits    made up here
--
-- -1 is nothing: NULL (machine_xml: an empty text). -2, -3: what people and machines write instead (fillers).
-- Other numbers outside a macro's range raise an error, so that two things never get one text unnoticed. Where
-- the number is used many times the error is a cast that fails: DuckDB computes error() anew at every place.
--
-- people       0 … 16,463,999; namesakes, all called 样例同名, 900,000,000 … 900,335,999
-- phones       people's own 0 … 16,799,999; agencies' from 900,000,000; -2 is 13800138000
-- computers    0 … 2^32 - 1; -1000 - m: computer m with a virtual adapter's MAC instead of its own (6A-…, where
--              the bit of local administration is on); -2 what a maker writes who fills nothing in
-- addresses    0 … 999,999,999 ordinary, equal ones 131,072 apart; from 1,000,000,000 shared behind a carrier; -2 '/'
-- accounts     0 … 10^12 - 1; -2 the insurer's one account, -3 '/'

-- A bit mixer: n (below 2^31) -> 0 … 2^32 - 1, one to one, neighbours far apart. hash() may change with the version.
CREATE OR REPLACE MACRO scattered_once(n) AS xor(n * 2654435761 % 4294967296, (n * 2654435761 % 4294967296) >> 15);
CREATE OR REPLACE MACRO scattered_twice(n) AS scattered_once(n) * 1103515245 % 4294967296;
CREATE OR REPLACE MACRO scattered(n) AS xor(scattered_twice(n), scattered_twice(n) >> 13);

-- Byte number k (0 the lowest) of n as two hexadecimal digits.
CREATE OR REPLACE MACRO hex_byte(n, k) AS
    list_transform(range(256), lambda b: right('0' || hex(b), 2))[1 + ((n >> (8 * k)) & 255)];

-- Sum of weights[i] x (place of the i-th character of `code` in `alphabet`, from 0).
CREATE OR REPLACE MACRO weighted_sum(code, alphabet, weights) AS
    CAST(list_inner_product(
        [CAST(instr(alphabet, letter) - 1 AS DOUBLE) FOR letter IN string_split(code, '')],
        CAST(weights AS DOUBLE[])
    ) AS BIGINT);

--- Firms ------------------------------------------------------------------------------------------

CREATE OR REPLACE MACRO organisation_number(n) AS
    CASE
        WHEN n BETWEEN 0 AND 887503680 THEN CAST(n AS BIGINT)
        ELSE CAST('organisation number ' || n || ' is not between 0 and 887503680' AS BIGINT)
    END;

-- Digit k (0 the last) of n in base 31, in the alphabet of GB 32100.
CREATE OR REPLACE MACRO letter_of_31(n, k) AS
    substr('0123456789ABCDEFGHJKLMNPQRTUWXY', CAST(1 + n // CAST(31 ** k AS BIGINT) % 31 AS BIGINT), 1);

CREATE OR REPLACE MACRO organisation_body(n) AS
    'YL' || letter_of_31(organisation_number(n), 5) || letter_of_31(organisation_number(n), 4)
         || letter_of_31(organisation_number(n), 3) || letter_of_31(organisation_number(n), 2)
         || letter_of_31(organisation_number(n), 1) || letter_of_31(organisation_number(n), 0);

-- Nine characters: the part of the credit code that was a code of its own (GB 11714).
CREATE OR REPLACE MACRO organisation_code(n) AS
    organisation_body(n) || substr(
        '0123456789X',
        1 + (11 - weighted_sum(
            organisation_body(n), '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', [3, 7, 9, 10, 5, 8, 4, 2]
        ) % 11) % 11,
        1
    );

-- The last of the eighteen characters, from the seventeen before it (GB 32100).
CREATE OR REPLACE MACRO credit_check(body) AS
    substr(
        '0123456789ABCDEFGHJKLMNPQRTUWXY',
        1 + (31 - weighted_sum(
            body,
            '0123456789ABCDEFGHJKLMNPQRTUWXY',
            [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
        ) % 31) % 31,
        1
    );

-- kind: '91' firms, '12' public bodies. region: six digits.
CREATE OR REPLACE MACRO credit_code(kind, region, n) AS
    kind || region || organisation_code(n) || credit_check(kind || region || organisation_code(n));

-- Fifteen digits, as registers gave them before the credit code.
CREATE OR REPLACE MACRO old_registration_number(n) AS
    CASE
        WHEN n BETWEEN 0 AND 999999999 THEN printf('999999%09d', n)
        ELSE error('registration number ' || n || ' is not between 0 and 999999999')
    END;

-- bids.name_form: 0 as registered; 1 full-width brackets, a wide blank inside and a blank behind; 2 the former
-- name, where there is one; 3 a branch.
CREATE OR REPLACE MACRO written_name(name, former, form) AS
    CASE form
        WHEN 0 THEN name
        WHEN 1 THEN left(translate(name, '()', '（）'), 4) || '　' || substr(translate(name, '()', '（）'), 5) || ' '
        WHEN 2 THEN coalesce(former, name)
        WHEN 3 THEN name || '第一分公司'
    END;

-- bids.code_form: 0 credit code, 1 organisation code, 2 old registration number, 3 none.
CREATE OR REPLACE MACRO written_code(credit, organisation, registration, form) AS
    CASE form WHEN 0 THEN credit WHEN 1 THEN organisation WHEN 2 THEN registration END;

--- People -----------------------------------------------------------------------------------------

-- Where a person stands among all document numbers, 0 … 16,799,999: the namesakes come last.
CREATE OR REPLACE MACRO person_place(p) AS
    CASE
        WHEN p BETWEEN 0 AND 16463999 THEN CAST(p AS BIGINT)
        WHEN p BETWEEN 900000000 AND 900335999 THEN CAST(p AS BIGINT) - 900000000 + 16464000
        WHEN p <> -1 THEN CAST('person ' || p || ' is neither below 16464000 nor 900000000 to 900335999' AS BIGINT)
    END;

CREATE OR REPLACE MACRO person_name(p) AS
    CASE
        WHEN person_place(p) >= 16464000 THEN '样例同名'
        WHEN person_place(p) >= 0 THEN
            '样例'
            || string_split(
                '云山川林泉石松竹梅岭溪江河湖海岩峰原野田春夏秋冬晨阳月星雨雪风雷虹霞光明兰菊荷莲芳馨桂枫柏桐杨柳槐榆青白丹朱墨金玉珠宝银',
                ''
            )[1 + scattered(person_place(p)) % 60]
            || string_split(
                '程远达恒信嘉和安泰弘华文武俊杰伟强勇军平志波涛鹏飞宇浩然曦瑞祥福康宁静雅慧敏颖洁诚敬德仁义礼智勤俭清正廉耕读思学博毅坚忠',
                ''
            )[1 + scattered(person_place(p)) // 60 % 60]
    END;

-- A person's day of birth and number of that day: one of 50 years x 12 months x 28 days x 1000 numbers, spread so that
-- colleagues were not all born on one day; one to one, because 10382971 has no divisor of 16,800,000.
CREATE OR REPLACE MACRO birth_slot(p) AS person_place(p) * 10382971 % 16800000;
CREATE OR REPLACE MACRO birth_year(slot) AS 50 + slot // 336000;
CREATE OR REPLACE MACRO birth_month(slot) AS 1 + slot // 28000 % 12;
CREATE OR REPLACE MACRO birth_day(slot) AS 1 + slot // 1000 % 28;

-- The last nine digits before the check digit.
CREATE OR REPLACE MACRO birth_digits(slot) AS
    birth_year(slot) * 10000000 + birth_month(slot) * 100000 + birth_day(slot) * 1000 + slot % 1000;

-- 397: what the digits 99999918 in front give with the weights 7, 9, 10, 5, 8, 4, 2, 1 of GB 11643.
CREATE OR REPLACE MACRO birth_check(slot) AS
    substr(
        '10X98765432',
        1 + (
            397
            + birth_year(slot) // 10 * 6 + birth_year(slot) % 10 * 3
            + birth_month(slot) // 10 * 7 + birth_month(slot) % 10 * 9
            + birth_day(slot) // 10 * 10 + birth_day(slot) % 10 * 5
            + slot // 100 % 10 * 8 + slot // 10 % 10 * 4 + slot % 10 * 2
        ) % 11,
        1
    );

CREATE OR REPLACE MACRO person_id(p) AS '99999918' || birth_digits(birth_slot(p)) || birth_check(birth_slot(p));

CREATE OR REPLACE MACRO person_phone_number(p) AS coalesce(person_place(p), -1);

CREATE OR REPLACE MACRO agency_phone_number(a) AS 900000000 + CAST(a AS BIGINT);

CREATE OR REPLACE MACRO phone(n) AS
    CASE
        WHEN n BETWEEN 0 AND 999999999 THEN printf('12%09d', n)
        WHEN n = -2 THEN '13800138000'
        WHEN n <> -1 THEN error('phone ' || n || ' has no eleven digits')
    END;

--- Computers --------------------------------------------------------------------------------------

-- The computer itself, where m may say that it shows a virtual adapter.
CREATE OR REPLACE MACRO computer(m) AS CASE WHEN m <= -1000 THEN -1000 - CAST(m AS BIGINT) ELSE CAST(m AS BIGINT) END;

CREATE OR REPLACE MACRO mac(m) AS
    CASE
        WHEN m BETWEEN 0 AND 4294967295 THEN
            'D0-00-' || hex_byte(m, 3) || '-' || hex_byte(m, 2) || '-' || hex_byte(m, 1) || '-' || hex_byte(m, 0)
        WHEN m = -2 THEN '00:00:00:00:00:00'
        WHEN computer(m) BETWEEN 0 AND 4294967295 THEN '6A-A3-55-00-00-01'
        WHEN m <> -1 THEN error('there is no computer ' || m)
    END;

CREATE OR REPLACE MACRO cpu(m) AS
    CASE
        WHEN computer(m) BETWEEN 0 AND 4294967295 THEN 'BFEBFBFF000' || (40651 + computer(m) % 12)
        WHEN m = -2 THEN 'To be filled by O.E.M.'
        WHEN m <> -1 THEN error('there is no computer ' || m)
    END;

CREATE OR REPLACE MACRO disk(m) AS
    CASE
        WHEN computer(m) BETWEEN 0 AND 4294967295 THEN
            'YLD' || hex_byte(computer(m), 3) || hex_byte(computer(m), 2)
                  || hex_byte(computer(m), 1) || hex_byte(computer(m), 0)
        WHEN m = -2 THEN '无'
        WHEN m <> -1 THEN error('there is no computer ' || m)
    END;

-- Host i of the network that begins at first.second, from its third byte on.
CREATE OR REPLACE MACRO host(first, second, i) AS
    first || '.' || (second + (i >> 16)) || '.' || (i >> 8 & 255) || '.' || (i & 255);

CREATE OR REPLACE MACRO ip(i) AS
    CASE
        WHEN i BETWEEN 0 AND 999999999 THEN host(198, 18, i % 131072)
        WHEN i >= 1000000000 THEN host(100, 64, (i - 1000000000) % 4194304)
        WHEN i = -2 THEN '/'
        WHEN i <> -1 THEN error('there is no address ' || i)
    END;

CREATE OR REPLACE MACRO dongle(d) AS
    CASE
        WHEN d >= 0 THEN printf('YL%08d', d)
        WHEN d = -2 THEN '无'
        WHEN d <> -1 THEN error('there is no dongle ' || d)
    END;

-- What pricing and authoring software writes about the computer m and the dongle d.
CREATE OR REPLACE MACRO machine_xml(m, d) AS
    CASE
        WHEN m <> -1 THEN
            '<R' || coalesce(' JMSXLH="' || dongle(d) || '"', '')
            || ' WKDZ="' || mac(m) || '" CPUXLH="' || cpu(m) || '" YPXLH="' || disk(m) || '"/>'
        ELSE ''
    END;

--- Accounts and files -----------------------------------------------------------------------------

-- The noughts behind give account numbers of 16 to 19 digits.
CREATE OR REPLACE MACRO account(a) AS
    CASE
        WHEN a BETWEEN 0 AND 999999999999 THEN printf('9999%012d', a) || repeat('0', CAST(a % 4 AS BIGINT))
        WHEN a = -2 THEN '9999888877776666'
        WHEN a = -3 THEN '/'
        WHEN a <> -1 THEN error('there is no account ' || a)
    END;

-- 文件创建标识码
CREATE OR REPLACE MACRO file_code(f) AS
    CASE
        WHEN f >= 0 THEN printf('YLF%013d', f)
        WHEN f <> -1 THEN error('there is no file ' || f)
    END;

CREATE OR REPLACE MACRO file_md5(lot, firm) AS md5(lot || '/' || firm);
