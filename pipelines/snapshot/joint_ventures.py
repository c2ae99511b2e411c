"""Joint ventures that a record names in one cell: 「甲公司、乙设计院联合体」 becomes its members.

Only a cell of which every part is an organisation's name is taken apart: a firm may have 、 in its own name.
"""

from __future__ import annotations

import duckdb

#: Between two members. A line break and a slash are as usual as 、.
_BETWEEN = r"[、,，;；/\n\r+＋&]+"

#: What an organisation's name ends with; a branch may be named in brackets behind it.
_ENDS = "公司|集团|院|所|厂|中心|局|社|队|站|大学|学会|协会"

#: What is said of a member beside its name.
_ROLE = (
    r"[(（\[【]?\s*(?:联合体)?(?:牵头人|牵头方|牵头单位|牵头|主办人|主办方|主体方|成员单位|成员方|成员|联合体)[一二三四五六0-9]*\s*"
    r"[)）\]】]?\s*[:：]?"
)

#: 甲公司与乙公司, 甲公司和乙公司
_AND = rf"({_ENDS})\s*(?:[(（][^()（）]*[)）])?\s*(?:与|和|以及|及)\s*"


def name_members(con: duckdb.DuckDBPyConnection) -> None:
    """Add to ``stage.bid_members`` the members of every bid whose bidder's name lists several organisations."""
    con.execute(
        """
        INSERT INTO stage.bid_members BY NAME
        WITH spelt AS (
            SELECT *, regexp_replace(bidder_name, $and, '\\1、', 'g') AS listed
            FROM stage.bids
            WHERE bidder_name IS NOT NULL
        ),
        parts AS (
            SELECT * EXCLUDE (listed),
                   list_filter(
                       list_transform(
                           string_split_regex(regexp_replace(listed, $role, '、', 'g'), $between),
                           lambda part: trim(translate(part, '（）', '()'), ' 　' || chr(9))
                       ),
                       lambda part: part <> ''
                   ) AS members
            FROM spelt
        ),
        joint AS (
            SELECT *, unnest(list_distinct(members)) AS member_name
            FROM parts
            WHERE len(list_distinct(members)) > 1
              AND len(list_filter(members, lambda part: NOT regexp_matches(part, $organisation))) = 0
        ),
        keyed AS (
            SELECT *, regexp_replace(upper(member_name), '[\\s\\p{Cf}·・]', '', 'g') AS member_key FROM joint
        )
        SELECT lot_id, bidder_code, bidder_name, bidder, bidder_key, bid_ref,
               member_name, member_key, 'name:' || member_key AS member,
               record_key || chr(31) || member_key AS record_key, row_hash, updated_at, FALSE AS is_deleted,
               FALSE AS is_partial, is_public, raw_sha, raw_section, raw_row
        FROM keyed
        ORDER BY record_key, member_key
        """,
        {
            "and": _AND,
            "role": _ROLE,
            "between": _BETWEEN,
            "organisation": rf"^.{{2,}}(?:{_ENDS})(?:\([^()]*\))?$",
        },
    )
