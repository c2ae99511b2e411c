"""Who is who: every party of the records gets one id, by exact facts and by what people decided.

A machine links only what is certain: the same code, the number in one register, the credit code that contains an old
organisation code (组织机构代码), or a name that has one code everywhere. A code that carries unrelated names links nobody:
some senders number the firms of each record anew. Everything else is proposed to a person
(`detectors.kernels.firms.party_names`), whose judgement comes first and can be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from pipelines.intake.schema import table_schemas
from pipelines.values.codes import party_mark

#: What people can decide about two parties. ``undone`` takes the judgement back.
VERDICTS = ("same", "different", "undone")


@dataclass(frozen=True)
class PartyJudgement:
    """What people decided about the two party ids of a pair, ``left`` before ``right``."""

    left: str
    right: str
    verdict: str


def standing(judgements: Iterable[tuple[str, str, str]]) -> list[PartyJudgement]:
    """Return the judgements that stand: the last one on every pair, if it is not undone.

    Args:
        judgements: two party ids in any order and the verdict, oldest first.

    Raises:
        ValueError: a verdict is none of ``VERDICTS``, or what stands contradicts itself.
    """
    last: dict[tuple[str, str], str] = {}
    for one, other, verdict in judgements:
        if verdict not in VERDICTS:
            raise ValueError(f"the verdict {verdict!r} is none of {', '.join(VERDICTS)}")
        if one == other:
            raise ValueError(f"{one} is one party already; name two different ids")
        last[min(one, other), max(one, other)] = verdict
    left = [PartyJudgement(*pair, verdict) for pair, verdict in sorted(last.items()) if verdict != "undone"]
    whole = merged(left)
    for pair in left:
        if pair.verdict == "different" and pair.left in whole and whole[pair.left] == whole.get(pair.right):
            raise ValueError(
                f"{pair.left} and {pair.right} were judged different, but other judgements make both one party"
                f" ({whole[pair.left]}); undo one of them first"
            )
    return left


def merged(judged: Iterable[PartyJudgement]) -> dict[str, str]:
    """Return for every party that was judged the same as another the id that all of them get.

    The id is a credit code where one of them has one, else another code, else the first by name.
    """
    import networkx as nx  # every command would load it, and only a night needs it

    same = nx.Graph((pair.left, pair.right) for pair in judged if pair.verdict == "same")
    return {
        party: min(group, key=lambda id: (id.startswith("name:"), len(id) != 18, id))
        for group in nx.connected_components(same)
        for party in group
    }


def set_judgements(con: duckdb.DuckDBPyConnection, judged: Iterable[PartyJudgement]) -> None:
    """Fill ``stage.merged_parties`` and ``stage.parted_parties``, which `link` obeys."""
    judged = list(judged)
    con.execute("CREATE OR REPLACE TABLE stage.merged_parties (party_id VARCHAR, merged_id VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE stage.parted_parties (one VARCHAR, other VARCHAR)")
    if one_party := sorted(merged(judged).items()):
        con.executemany("INSERT INTO stage.merged_parties VALUES (?, ?)", one_party)
    parted = [(pair.left, pair.right) for pair in judged if pair.verdict == "different"]
    if parted:
        con.executemany("INSERT INTO stage.parted_parties VALUES (?, ?)", parted)


#: Forms of registered codes: names under one of them may differ, because firms change theirs.
_REGISTERED = "[0-9A-HJ-NP-RTUWXY]{18}|[0-9]{15}|[0-9A-Z]{8}[0-9X]|[A-Z]{2,3}-[A-Z][A-Z0-9_]*-.*[0-9A-Z]{4}.*"

#: Names less alike than this (Jaro) are unrelated, and so are some of more names than a firm has spellings.
_ALIKE, _SPELLINGS = 0.8, 3

#: The register number of every party that has one: Chinese ones as the bare credit code, others with their scheme.
_IDENTITIES = """
WITH spelt AS (
    SELECT DISTINCT party, party_code AS code,
           CASE WHEN regexp_full_match(upper(identifier), 'CN-[A-Z]+-[0-9A-Z]{18}') THEN right(upper(identifier), 18)
                WHEN starts_with(upper(identifier), 'CN-') THEN upper(identifier)
                ELSE upper(regexp_extract(identifier, '^[A-Za-z]+-[A-Za-z0-9]+-'))
                     || regexp_replace(identifier, '^[A-Za-z]+-[A-Za-z0-9]+-', '') END AS identifier
    FROM stage.parties
    WHERE identifier IS NOT NULL
)
SELECT party, any_value(code) AS code, min(identifier) AS identifier, count(*) AS identifiers
FROM spelt
GROUP BY party
"""

#: Codes that carry unrelated names, from the temporary tables ``named`` and ``identities``.
_UNRELATED = f"""
WITH counted AS (
    SELECT n.code, n.name_key, count(*) AS records
    FROM named AS n
    LEFT JOIN identities AS i ON i.code = n.code
    WHERE n.name_key IS NOT NULL AND coalesce(i.identifiers, 0) <> 1
      AND NOT regexp_full_match(n.code, '{_REGISTERED}')
    GROUP BY n.code, n.name_key
),
several AS (
    SELECT code, arg_max(name_key, (records, name_key)) AS main, count(*) AS names
    FROM counted
    GROUP BY code
    HAVING count(*) > 1
),
elsewhere AS (
    SELECT name_key FROM counted JOIN several USING (code) GROUP BY name_key HAVING count(*) > 1
)
SELECT s.code
FROM several AS s
JOIN counted AS c ON c.code = s.code
GROUP BY s.code
HAVING any_value(s.names) > {_SPELLINGS} OR min(jaro_similarity(c.name_key, s.main)) < {_ALIKE}
    OR bool_or(c.name_key IN (SELECT name_key FROM elsewhere))
UNION
SELECT code FROM identities WHERE identifiers > 1 AND NOT regexp_full_match(code, '{_REGISTERED}')
"""

#: From the temporary tables ``named`` (party, code, name, name_key, raw_sha) and ``identities`` to ``party`` and ``party_id``.
_LINKS = f"""
WITH codes AS (
    SELECT DISTINCT code FROM named WHERE code IS NOT NULL
),
marked AS (
    SELECT code, {party_mark("code")} AS mark FROM codes
),
held AS (
    SELECT o.code AS old, min(c.code) AS code
    FROM marked AS o
    JOIN marked AS c ON substr(c.code, 9, 9) = o.code
    WHERE o.mark = 'old' AND c.mark = 'ok' AND NOT EXISTS (
        SELECT 1 FROM stage.parted_parties AS d
        WHERE d.one IN (o.code, c.code) AND d.other IN (o.code, c.code)
    )
    GROUP BY o.code
    HAVING count(*) = 1
),
known AS (
    SELECT i.party, i.identifier
    FROM identities AS i
    WHERE i.identifiers = 1 AND NOT EXISTS (
        SELECT 1
        FROM stage.parted_parties AS d
        LEFT JOIN identities AS o ON o.identifier = i.identifier AND o.party IN (d.one, d.other) AND o.party <> i.party
        WHERE i.party IN (d.one, d.other) AND (o.party IS NOT NULL OR i.identifier IN (d.one, d.other))
    )
),
coded AS (
    SELECT n.party, n.name_key, coalesce(k.identifier, h.code, n.code) AS code
    FROM named AS n
    LEFT JOIN held AS h ON h.old = n.code
    LEFT JOIN known AS k ON k.party = n.party
),
single AS (
    SELECT name_key, min(code) AS code
    FROM coded
    WHERE code IS NOT NULL AND name_key IS NOT NULL
    GROUP BY name_key
    HAVING count(DISTINCT code) = 1
),
parties AS (
    SELECT party, min(code) AS code, min(name_key) AS name_key FROM coded GROUP BY party
),
exact AS (
    SELECT p.party, coalesce(p.code, s.code, p.party) AS party_id
    FROM parties AS p
    LEFT JOIN single AS s ON s.name_key = p.name_key AND NOT EXISTS (
        SELECT 1 FROM stage.parted_parties AS d
        WHERE d.one IN (p.party, s.code) AND d.other IN (p.party, s.code)
    )
)
SELECT e.party, coalesce(m.merged_id, o.merged_id, e.party_id) AS party_id
FROM exact AS e
LEFT JOIN stage.merged_parties AS m ON m.party_id = e.party_id
LEFT JOIN stage.merged_parties AS o ON o.party_id = e.party
ORDER BY e.party
"""


def link(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``stage.party_references``, ``stage.party_links`` and ``stage.unrelated_names``.

    An old organisation code becomes the credit code that contains it as characters 9 to 17 (GB 32100-2015),
    if that is one code. A row without a code is linked to the code that the same compared name has everywhere
    else, if that is one code; a name that stands for two codes links to neither. People can part an
    organisation code or a name from the credit code. Then parties that were judged one get one id.

    Codes that carry unrelated names are in ``unrelated_names``, by file; their rows are known by the name alone.
    """
    references = [
        f"SELECT {column.name} AS party, {column.code} AS code, {column.name_column} AS name,"
        f" {column.name}_key AS name_key, raw_sha FROM stage.{schema.table} WHERE {column.name} <> ''"
        for schema in table_schemas().values()
        for column in schema.parties
    ]
    # A member of a joint venture may stand in no other record, and people judge it like any other firm.
    member = "unnest(string_split(joint_venture_codes, ';'))"
    references.append(
        f"SELECT {member} AS party, {member} AS code, NULL AS name, NULL AS name_key, raw_sha FROM stage.bids"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE named AS {' UNION ALL '.join(references)}")
    con.execute("DELETE FROM named WHERE party IS NULL OR trim(party) = ''")
    con.execute(f"CREATE OR REPLACE TEMP TABLE identities AS {_IDENTITIES}")
    _part_unrelated_names(con)
    con.execute(f"CREATE OR REPLACE TABLE stage.party_links AS {_LINKS}")
    con.execute(
        """
        CREATE OR REPLACE TABLE stage.party_references AS
        SELECT l.party_id, n.name, n.name_key
        FROM named AS n JOIN stage.party_links AS l ON l.party = n.party
        """
    )
    con.execute("DROP TABLE named")
    con.execute("DROP TABLE identities")


def _part_unrelated_names(con: duckdb.DuckDBPyConnection) -> None:
    """Let a row whose code carries unrelated names be known by its name."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE unrelated AS {_UNRELATED}")
    con.execute(
        """
        CREATE OR REPLACE TABLE stage.unrelated_names AS
        SELECT n.code, n.raw_sha, count(DISTINCT n.name_key) AS names, min(n.name) AS one, max(n.name) AS other
        FROM unrelated AS u JOIN named AS n ON n.code = u.code
        GROUP BY n.code, n.raw_sha
        ORDER BY n.code, n.raw_sha
        """
    )
    if con.execute("SELECT count(*) FROM unrelated").fetchall() != [(0,)]:
        by_name = "code IN (SELECT code FROM unrelated) AND name_key IS NOT NULL"
        for schema in table_schemas().values():
            for column in schema.parties:
                con.execute(
                    f"UPDATE stage.{schema.table} SET {column.name} = 'name:' || {column.name}_key"
                    f" WHERE {column.code} IN (SELECT code FROM unrelated) AND {column.name}_key IS NOT NULL"
                )
        con.execute(f"UPDATE named SET party = 'name:' || name_key, code = NULL WHERE {by_name}")
    con.execute("DROP TABLE unrelated")
