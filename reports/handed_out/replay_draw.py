"""Draw the objects of an inspection and their officers from a published seed, or check that it was done so.

双随机抽查复算：任何人可用本程序、公布的随机种子和名录库文件重新抽取，并逐字节比对结果。

    python3 replay_draw.py FOLDER [SHA-256 of commitment.json, as it was announced before the draw]

Needs Python 3.9 or later and nothing else. The regulator's own software draws with this very file.

How it is drawn
    key     the 32 bytes of ``seed.hex``; where the plan names a public source, HMAC-SHA256(seed, "beacon|" value).
    ticket  HMAC-SHA256(key, "bidwatch-draw/1|draw|purpose|id…") as an integer below 2**256.
    strata  objects with the same classes. Objects drawn earlier in the period (``excluded.csv``) are left out.
            A stratum's rate p is the highest of the rates of its classes.
    number  of n objects floor(n p) are drawn, and one more if the stratum's own ticket is below
            frac(n p) 2**256. So the chance of every object is exactly p. No rounding, no floating point.
    objects the smallest tickets of the stratum win.
    random  a second draw over all objects, whatever their class and also those left out above, at one rate or
            number. An object that both draws hit is inspected once. One that was drawn earlier in the period is
            not visited again: its earlier result counts (``carried_from``).
    officers object by object in the order of their tickets, who has the fewest objects so far comes first, and
            among these the smallest ticket. Officers without the object's field, of its unit, or with a conflict
            do not take part.

Exit code: 0 everything agrees, 1 something does not, 2 the folder cannot be read.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

ALGORITHM = "bidwatch-draw/1"
INPUTS = ("plan.json", "objects.csv", "officers.csv", "conflicts.csv", "excluded.csv")
RESULTS = ("quotas.csv", "drawn.csv")

#: Columns of the frozen files.
COLUMNS = {
    "objects.csv": ("object_id", "name", "kind", "field", "unit", "risk_class", "credit_class"),
    "officers.csv": ("officer_id", "name", "unit", "certificate_no", "fields"),
    "conflicts.csv": ("officer_id", "object_id"),
    "excluded.csv": ("object_id", "drawn_in", "drawn_on"),
    "quotas.csv": ("arm", "stratum", "objects", "excluded", "eligible", "rate", "expected", "number"),
    "drawn.csv": (
        "object_id",
        "stratum",
        "rate",
        "risk_ticket",
        "random_ticket",
        "carried_from",
        "officers",
    ),
}
DIMENSIONS = ("risk", "credit")
SEPARATOR = ";"

Row = dict[str, str]
Rows = list[Row]


def results(frozen: Mapping[str, bytes], seed: bytes, beacon: str) -> dict[str, bytes]:
    """Return the bytes of ``quotas.csv`` and ``drawn.csv``.

    Args:
        frozen: name -> bytes of the files in ``INPUTS``; the order of their rows has no effect.
        seed: 32 bytes.
        beacon: value of the public source that the plan names; empty where it names none.

    Raises:
        ValueError: a file does not read, a class has no rate, or an object has too few officers.
    """
    plan = read_plan(frozen["plan.json"])
    tables = {name: read_table(name, frozen[name]) for name in INPUTS if name != "plan.json"}
    quotas, drawn = _drawn(plan, tables, drawing_key(plan, seed, beacon))
    return {"quotas.csv": table_bytes("quotas.csv", quotas), "drawn.csv": table_bytes("drawn.csv", drawn)}


def drawing_key(plan: Mapping[str, Any], seed: bytes, beacon: str) -> bytes:
    """Return the key of all tickets: the seed, mixed with the public value where the plan names its source.

    Raises:
        ValueError: the seed has not 32 bytes, or a value is missing or given for nothing.
    """
    if len(seed) != 32:
        raise ValueError(f"the seed has {len(seed)} bytes, it must have 32")
    if bool(plan["beacon"]) != bool(beacon):
        raise ValueError(
            f"the plan takes a value from {plan['beacon']!r}: give it"
            if plan["beacon"]
            else "a public value is given, but the plan names no source for one"
        )
    return hmac.new(seed, f"beacon|{beacon}".encode(), hashlib.sha256).digest() if beacon else seed


def ticket(key: bytes, plan: Mapping[str, Any], purpose: str, *ids: str) -> int:
    """Return the ticket of something for a purpose: an integer from 0 to 2**256 - 1."""
    message = "|".join((ALGORITHM, plan["draw"], purpose, *ids))
    return int.from_bytes(hmac.new(key, message.encode(), hashlib.sha256).digest(), "big")


def number_drawn(expected: Fraction, coin: int) -> int:
    """Return floor(expected), or one more with a chance of exactly its fractional part.

    Args:
        expected: number of objects times rate.
        coin: a ticket.
    """
    whole = expected.numerator // expected.denominator
    rest = expected - whole
    return whole + (coin * rest.denominator < rest.numerator << 256)


def rate_of(plan: Mapping[str, Any], thing: Mapping[str, str]) -> tuple[str, Fraction]:
    """Return the stratum of an object and its rate, the highest of the rates of its classes.

    Raises:
        ValueError: the plan has no rate for one of its classes.
    """
    classes, rates = [], []
    for dimension in DIMENSIONS:
        of_class = plan["rates"][dimension]
        if not of_class:
            continue
        name = thing[f"{dimension}_class"]
        if name not in of_class:
            raise ValueError(
                f"object {thing['object_id']}: the plan has no rate for {dimension} class {name!r};"
                f" it has {', '.join(sorted(of_class))}"
            )
        classes.append(name)
        rates.append(Fraction(of_class[name]))
    return "/".join(classes), max(rates)


def able(
    thing: Mapping[str, str],
    officers: Iterable[Row],
    conflicts: Mapping[str, set[str]],
) -> Iterator[Row]:
    """Yield the officers who may inspect an object.

    Args:
        thing: a row of ``objects.csv``.
        officers: rows of ``officers.csv``.
        conflicts: object id -> officer ids.
    """
    out: set[str] = conflicts.get(thing["object_id"], set())
    homes = {thing["unit"], thing["name"]}
    for officer in officers:
        if (
            thing["field"] in officer["fields"].split(SEPARATOR)
            and officer["unit"] not in homes
            and officer["officer_id"] not in out
        ):
            yield officer


def assigned(
    key: bytes,
    plan: Mapping[str, Any],
    thing: Mapping[str, str],
    candidates: Iterable[Row],
    load: Mapping[str, int],
    number: int,
) -> list[str]:
    """Return the ids of the officers who inspect an object: fewest objects so far, then smallest ticket.

    Args:
        key, plan: of the draw.
        thing: a row of ``objects.csv``.
        candidates: rows of ``officers.csv`` that may inspect it.
        load: officer id -> objects so far.
        number: how many are needed.

    Raises:
        ValueError: there are fewer candidates.
    """
    object_id = thing["object_id"]
    order = sorted(
        (
            load.get(o["officer_id"], 0),
            ticket(key, plan, "officer", object_id, o["officer_id"]),
            o["officer_id"],
        )
        for o in candidates
    )
    if len(order) < number:
        raise ValueError(too_few(thing, len(order), number))
    return [officer_id for _, _, officer_id in order[:number]]


def too_few(thing: Mapping[str, str], found: int, number: int) -> str:
    """Return the sentence that says that an object has too few officers."""
    return (
        f"object {thing['object_id']}: {found} officer(s) may inspect it, {number} are needed (field"
        f" {thing['field']!r}, without conflict, not of its own unit); add officers to the pool first"
    )


def barred(conflicts: Iterable[Row]) -> dict[str, set[str]]:
    """Return object id -> officer ids with a conflict."""
    by_object: dict[str, set[str]] = defaultdict(set)
    for row in conflicts:
        by_object[row["object_id"]].add(row["officer_id"])
    return by_object


def check_officers(plan: Mapping[str, Any], tables: Mapping[str, Rows]) -> None:
    """Check before a draw that every object could be inspected.

    Raises:
        ValueError: an object has too few officers, or a class without a rate.
    """
    needed, conflicts = plan["officers_per_object"], barred(tables["conflicts.csv"])
    for thing in tables["objects.csv"]:
        rate_of(plan, thing)
        found = len(list(islice(able(thing, tables["officers.csv"], conflicts), needed)))
        if found < needed:
            raise ValueError(too_few(thing, found, needed))


def _drawn(plan: Mapping[str, Any], tables: Mapping[str, Rows], key: bytes) -> tuple[Rows, Rows]:
    objects = {row["object_id"]: row for row in tables["objects.csv"]}
    earlier = {row["object_id"]: row["drawn_in"] for row in tables["excluded.csv"]}
    by_stratum: dict[str, list[str]] = defaultdict(list)
    rates: dict[str, Fraction] = {}
    strata: dict[str, str] = {}
    for id in sorted(objects):
        strata[id], rate = rate_of(plan, objects[id])
        rates[strata[id]] = rate
        by_stratum[strata[id]].append(id)

    quotas: Rows = []
    risk: dict[str, int] = {}
    for stratum in sorted(by_stratum):
        ids = [id for id in by_stratum[stratum] if id not in earlier]
        expected = rates[stratum] * len(ids)
        number = number_drawn(expected, ticket(key, plan, "risk-number", stratum))
        risk.update(_smallest(key, plan, "risk", ids, number))
        quotas.append(
            _quota("risk", stratum, len(by_stratum[stratum]), len(ids), rates[stratum], expected, number)
        )

    rate, expected = random_rate(plan, len(objects))
    number = number_drawn(expected, ticket(key, plan, "random-number"))
    random = _smallest(key, plan, "random", sorted(objects), number)
    quotas.append(_quota("random", "all", len(objects), len(objects), rate, expected, number))

    conflicts = barred(tables["conflicts.csv"])
    load: Counter[str] = Counter()
    teams: dict[str, list[str]] = {}
    visited = [id for id in {**risk, **random} if id not in earlier]
    for id in sorted(visited, key=lambda id: (ticket(key, plan, "turn", id), id)):
        candidates = able(objects[id], tables["officers.csv"], conflicts)
        teams[id] = assigned(key, plan, objects[id], candidates, load, plan["officers_per_object"])
        load.update(teams[id])
    drawn = [
        {
            "object_id": id,
            "stratum": strata[id],
            "rate": str(rates[strata[id]]),
            "risk_ticket": _hex(risk.get(id)),
            "random_ticket": _hex(random.get(id)),
            "carried_from": earlier.get(id, ""),
            "officers": SEPARATOR.join(teams.get(id, ())),
        }
        for id in sorted({**risk, **random})
    ]
    return quotas, drawn


def random_rate(plan: Mapping[str, Any], objects: int) -> tuple[Fraction, Fraction]:
    """Return the chance of one object in the random draw, and how many of ``objects`` are expected."""
    if "number" in plan["random"]:
        number = Fraction(min(int(plan["random"]["number"]), objects))
        return (number / objects if objects else Fraction(0)), number
    rate = Fraction(plan["random"]["rate"])
    return rate, rate * objects


def _smallest(
    key: bytes, plan: Mapping[str, Any], purpose: str, ids: Sequence[str], number: int
) -> dict[str, int]:
    tickets = sorted((ticket(key, plan, purpose, id), id) for id in ids)
    return {id: drawn for drawn, id in tickets[:number]}


def _quota(
    arm: str, stratum: str, objects: int, eligible: int, rate: Fraction, expected: Fraction, number: int
) -> Row:
    return {
        "arm": arm,
        "stratum": stratum,
        "objects": str(objects),
        "excluded": str(objects - eligible),
        "eligible": str(eligible),
        "rate": str(rate),
        "expected": str(expected),
        "number": str(number),
    }


def _hex(drawn: int | None) -> str:
    return "" if drawn is None else f"{drawn:064x}"


def read_plan(content: bytes) -> dict[str, Any]:
    """Return the plan.

    Raises:
        ValueError: it is none that this program draws by.
    """
    plan: dict[str, Any] = json.loads(content.decode("utf-8"))
    if plan["algorithm"] != ALGORITHM:
        raise ValueError(f"plan.json asks for {plan['algorithm']!r}; this program draws by {ALGORITHM!r}")
    if plan["officers_per_object"] < 2:
        raise ValueError("plan.json: at least two officers inspect an object")
    for of_class in [*plan["rates"].values(), {"random": plan["random"].get("rate", "0")}]:
        for name, rate in of_class.items():
            if not 0 <= Fraction(rate) <= 1:
                raise ValueError(f"plan.json: the rate of {name} is {rate}, it must lie from 0 to 1")
    if not any(plan["rates"].values()):
        raise ValueError("plan.json: no rates")
    return plan


def read_table(name: str, content: bytes) -> Rows:
    """Return the rows of a frozen file.

    Raises:
        ValueError: its columns or rows are not what they should be.
    """
    reader = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    if tuple(reader.fieldnames or ()) != COLUMNS[name]:
        raise ValueError(f"{name}: the columns must be {', '.join(COLUMNS[name])}")
    rows: Rows = list(reader)
    seen = set()
    key = COLUMNS[name][: 2 if name in ("conflicts.csv", "quotas.csv") else 1]
    for place, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ValueError(f"{name}, row {place}: it has not {len(COLUMNS[name])} values")
        id = tuple(row[column] for column in key)
        if id in seen or any(not part or "|" in part for part in id):
            raise ValueError(f"{name}, row {place}: {'/'.join(id)!r} stands there twice or is no id")
        seen.add(id)
    return rows


def table_bytes(name: str, rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return the one form of a table: UTF-8, header, rows in the order given, lines end with LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS[name])
    writer.writerows([row[column] for column in COLUMNS[name]] for row in rows)
    return out.getvalue().encode("utf-8")


def sums(content: bytes) -> dict[str, str]:
    """Return the SHA-256 and SM3 (国密) of a file; SM3 is empty where this Python's OpenSSL lacks it."""
    sm3 = hashlib.new("sm3", content).hexdigest() if "sm3" in hashlib.algorithms_available else ""
    return {"sha256": hashlib.sha256(content).hexdigest(), "sm3": sm3}


def faults(folder: Path, announced: str = "") -> list[str]:
    """Return in words what does not agree in a published folder; nothing if all does.

    Args:
        folder: with ``commitment.json``, ``seed.hex``, the files of ``INPUTS`` and of ``RESULTS``, and
            ``beacon.txt`` where the plan names a public source.
        announced: SHA-256 of ``commitment.json`` as it became known before the draw; empty: not compared.

    Raises:
        OSError, ValueError: a file is missing or does not read.
    """
    found = []
    commitment_bytes = (folder / "commitment.json").read_bytes()
    commitment = json.loads(commitment_bytes.decode("utf-8"))
    if announced and announced.lower() != sums(commitment_bytes)["sha256"]:
        found.append("commitment.json is not the one that was announced before the draw")
    seed = bytes.fromhex((folder / "seed.hex").read_text(encoding="ascii").strip())
    if hashlib.sha256(seed).hexdigest() != commitment["seed_sha256"]:
        found.append("seed.hex is not the seed that was committed to")
    frozen = {name: (folder / name).read_bytes() for name in INPUTS}
    if set(commitment["files"]) != set(INPUTS):
        found.append("commitment.json does not name the files of the draw")
    for name in INPUTS:
        promised, actual = commitment["files"].get(name, {}), sums(frozen[name])
        for kind, is_value in actual.items():
            if is_value and promised.get(kind) != is_value:
                found.append(f"{name} is not the file that was committed to ({kind})")
    if read_plan(frozen["plan.json"])["draw"] != commitment["draw"]:
        found.append("commitment.json belongs to another draw")
    beacon_file = folder / "beacon.txt"
    beacon = beacon_file.read_text(encoding="utf-8").strip() if beacon_file.exists() else ""
    for name, content in results(frozen, seed, beacon).items():
        if (folder / name).read_bytes() != content:
            found.append(f"{name} is not what the seed and the pools give")
    for line in _sum_lines(folder):
        wanted, name = line.split("  ", 1)
        # The name's bytes are UTF-8 whatever this computer's locale is.
        file = folder / os.fsdecode(name.encode("utf-8"))
        if not file.is_file() or sums(file.read_bytes())["sha256"] != wanted:
            found.append(f"{name} does not agree with SHA256SUMS")
    return found


def _sum_lines(folder: Path) -> list[str]:
    file = folder / "SHA256SUMS"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def main(words: Sequence[str]) -> int:
    """Check a folder and say what was found. Returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # Names may not fit the terminal's encoding; a check must not end because of that.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if len(words) not in (1, 2):
        sys.stderr.write("usage: python3 replay_draw.py FOLDER [SHA-256 of commitment.json as announced]\n")
        return 2
    folder = Path(words[0])
    try:
        found = faults(folder, *words[1:])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        sys.stderr.write(f"the folder does not read: {type(error).__name__}: {error}\n")
        return 2
    for fault in found:
        sys.stdout.write(f"FAULT {fault}\n")
    if found:
        return 1
    drawn = len(read_table("drawn.csv", (folder / "drawn.csv").read_bytes()))
    sys.stdout.write(f"OK {drawn} objects drawn; seed, pools and result agree byte for byte\n")
    sha256 = sums((folder / "commitment.json").read_bytes())["sha256"]
    sys.stdout.write(
        f"commitment.json has SHA-256 {sha256}: compare it with what was announced before the draw\n"
    )
    if "sm3" not in hashlib.algorithms_available:
        sys.stdout.write("SM3 was not checked: this Python has no SM3\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
