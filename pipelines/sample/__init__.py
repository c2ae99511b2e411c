"""The committed sample: an invented county with known links, look-alikes and dirty records.

    python -m pipelines.sample --out data/sample

The same code writes the same bytes. ``county``: who there is, and honest bids; ``planting``: what is
hidden in them; ``records`` and ``formats``: what a trading centre makes of it; ``delivery``: the files.
"""
