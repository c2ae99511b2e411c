"""An invented county whose truth is known: every detector is measured against it.

    bidwatch simulate --out DIR --seed N [--lots N] [--nights N] [--honest]

``county`` reads like a table of contents: ``population`` (who there is), ``market`` (lots and who enters),
``bidding`` (honest prices), ``founding``, ``rings``, ``tactics`` and ``care`` (what rings make of them),
``traces`` (computers, people, accounts, times), ``look_alikes`` (innocent likeness), ``opening`` (benchmark,
scores, award). They fill a DuckDB file (``world.sql``). Two options add to it: ``follow_up`` (what follows the
award) and ``papers`` (documents). ``deliveries`` turns the file into what a trading centre hands over night by
night (``tags/*.sql``, ``formats``, ``dirt``), ``truth`` into the truth files.
"""
