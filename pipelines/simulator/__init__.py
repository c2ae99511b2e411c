"""An invented county whose truth is known: the ruler for every detector.

    bidwatch simulate --out DIR --seed N [--lots N] [--nights N] [--honest]

``county`` reads like a table of contents: ``population`` (who there is), ``market`` (lots and who enters),
``bidding`` (honest prices), ``rings`` and ``tactics`` (what rings make of them), ``traces`` (computers,
people, accounts, times), ``look_alikes`` (innocent likeness), ``opening`` (benchmark, scores, award). They
fill a DuckDB file (``world.sql``). ``deliveries`` turns it into what a trading centre hands over night by
night (``tags/*.sql``, ``formats``, ``dirt``), ``truth`` into the truth files.
"""
