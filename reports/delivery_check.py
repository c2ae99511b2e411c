"""Check whether a delivery is as it was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reports.bundle import delivery_id_of, digest, sums
from reports.results_list import FORMAT_VERSION as RESULTS
from reports.results_list import results_id


def faults(found: Mapping[str, bytes]) -> list[str]:
    """Return what is wrong with the files of a delivery, a sentence each; none if they are as they were sent.

    The sums are checked against the files, every file against the manifest, and the number of the delivery against its
    contents.

    Args:
        found: file name -> content, ``MANIFEST.json`` among them.
    """
    told = []
    for algorithm, name in (("sha256", "SHA256SUMS"), ("sm3", "SM3SUMS")):
        summed = {key: content for key, content in found.items() if not key.endswith("SUMS")}
        if name not in found:
            told.append(f"{name} is missing")
        elif found[name] != sums(algorithm, summed):
            told.append(f"{name} does not fit the files")
    try:
        manifest = json.loads(found["MANIFEST.json"])
        listed = {
            name: (facts["bytes"], facts["sha256"], facts["sm3"]) for name, facts in manifest["files"].items()
        }
        told += _changed(found, listed)
        if manifest["checkpoint"].encode() != found.get("CHECKPOINT"):
            told.append("the checkpoint in the manifest is not the one in CHECKPOINT")
        if not told and (made := _number(found, manifest)) != manifest["delivery_id"]:
            told.append(f"what is in it makes delivery {made}, the manifest says {manifest['delivery_id']}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told.append(f"MANIFEST.json cannot be read ({type(error).__name__}: {error})")
    return told


def _changed(found: Mapping[str, bytes], listed: Mapping[str, tuple[int, str, str]]) -> list[str]:
    """Return the files that are missing, that were changed, or that the manifest does not list."""
    seals = {"MANIFEST.json", "SHA256SUMS", "SM3SUMS"}
    told = [f"{name} is missing" for name in sorted(set(listed) - set(found))]
    told += [f"{name} does not belong to the delivery" for name in sorted(set(found) - set(listed) - seals)]
    for name in sorted(set(listed) & set(found)):
        content = found[name]
        if (len(content), digest("sha256", content), digest("sm3", content)) != listed[name]:
            told.append(f"{name} was changed")
    return told


def _number(found: Mapping[str, bytes], manifest: Mapping[str, Any]) -> str:
    """Return the number that a delivery with these contents has."""
    if manifest["format_version"] == RESULTS:
        results = [json.loads(line) for line in found["results.jsonl"].splitlines()]
        return results_id(manifest["recipient"], results)
    records = [json.loads(line) for line in found["alerts.jsonl"].splitlines()]
    return delivery_id_of(
        manifest["recipient"],
        manifest["format_version"],
        [(record["alert_id"], record["ev_hash"]) for record in records],
        manifest["supersedes"] or manifest.get("again_on"),
    )
