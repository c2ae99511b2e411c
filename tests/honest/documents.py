"""What was filed in the honest market."""

import hashlib

import numpy as np
import pandas as pd

#: Lots whose documents were delivered.
DOCUMENTED = 540


def documented(lots, bids):
    """Return what was filed: own prose, passages of the tender document, a template, a bought chapter, slips."""
    rng = np.random.default_rng(20260304)
    words = np.array([chr(0x4E00 + a) + chr(0x4E00 + b) for a, b in rng.integers(0, 3000, (4000, 2))])
    weight = 1 / np.arange(1, len(words) + 1) ** 0.8

    def prose(count):
        return "".join(rng.choice(words, count, p=weight / weight.sum()))

    def slip(text):
        at = int(rng.integers(0, len(text)))
        return text[:at] + chr(0x4E00 + int(rng.integers(0, 3000))) + text[at + 1 :]

    who = bids[bids["lot_id"].isin(lots["lot_id"].head(DOCUMENTED))].groupby("lot_id").head(3)
    firms = sorted(who["bidder_id"].unique())
    names = {firm: f"{prose(3)}建设工程有限公司{firm[1:]}" for firm in firms}
    template, chapters = prose(120), [prose(220) for _ in range(len(firms))]
    bought = {firm: rng.choice(len(chapters), 3, replace=False) for firm in firms}
    index, parts, properties, images = [], [], [], []

    def file(lot_id, bidder_id, kind, author, image, *paragraphs):
        sha = hashlib.sha256("".join(paragraphs).encode()).hexdigest()
        index.append((lot_id, bidder_id, kind, f"{kind}.docx", sha, sha))
        parts.extend((sha, number, f"第{number}段", text) for number, text in enumerate(paragraphs, 1))
        properties.append((sha, 1, "author", author))
        images.append((sha, 1, "第1段", image, 30_000))

    file(None, None, "template", "h1:agency", "i-template", template)
    for number, (lot_id, of_lot) in enumerate(who.groupby("lot_id", sort=True)):
        tender = prose(260)
        if number % 2:
            file(lot_id, None, "tender", "h1:agency", "i-drawing", tender, prose(100))
        rivals = of_lot["bidder_id"].tolist()
        for firm in rivals:
            # One in twenty has its bid made by a copy shop, one in three prints the seal of a scheme.
            author = "h1:shop" if rng.random() < 0.05 else f"h1:{firm}"
            image = "i-seal" if rng.random() < 0.3 else f"i-{firm}"
            reference = f"类似业绩：{names[rivals[0]]}，合同已履行" if rng.random() < 0.1 else "本表无内容"
            chapter = chapters[int(rng.choice(bought[firm]))]
            texts = (f"投标人：{names[firm]}", slip(slip(template)), tender[: int(rng.integers(200, 520))])
            file(lot_id, firm, "bid", author, image, *texts, prose(350), chapter, reference, prose(250))
    columns = ["lot_id", "bidder_id", "kind", "file_name", "file_hash", "file_sha"]
    return {
        "bid_files": pd.DataFrame(index, columns=columns).astype("str"),
        "file_parts": pd.DataFrame(parts, columns=["file_sha", "part_no", "place", "text"]),
        "file_properties": pd.DataFrame(
            properties, columns=["file_sha", "property_no", "property", "value"]
        ).drop_duplicates("file_sha"),
        "file_images": pd.DataFrame(
            images, columns=["file_sha", "image_no", "place", "image_sha", "bytes"]
        ).drop_duplicates("file_sha"),
        "party_names": pd.DataFrame(
            {"party_id": names.keys(), "name": names.values(), "name_key": names.values(), "records": 1}
        ),
    }
