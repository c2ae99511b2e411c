import numpy as np

from detectors.kernels.prices.thinning import equal_sizes


def filled(market):
    market.honest(30, bids=4)
    market.lots("lot award_method\nL1 lowest_price\nL2 -")
    for lot, bids in (("L1", 9), ("L2", 9)):
        rows = "\n".join(f"{lot} B{number} {1000 + 7 * number}" for number in range(bids))
        market.bids(f"lot bidder price\n{rows}")
    return market


def test_every_size_comes_with_all_lots_that_have_as_many_bids(market):
    sizes = {size.bids: size for size in equal_sizes(filled(market).engine, 3, 0)}
    assert sorted(sizes) == [4, 9]
    assert len(sizes[4].lots) == 31
    assert sizes[9].lots["unit"].tolist() == ["L1"]
    assert sizes[4].lots.set_index("unit")["is_whole"].to_dict() == {
        name: name != "L1" for name in sizes[4].lots["unit"]
    }


def test_lots_with_an_unknown_award_method_or_too_few_companions_are_left_out(market):
    sizes = list(equal_sizes(filled(market).engine, 3, 1))
    assert [size.bids for size in sizes] == [4]
    assert "L2" not in set(sizes[0].lots["unit"])


def test_prices_are_ascending_and_keep_their_bidders(market):
    for size in equal_sizes(filled(market).engine, 3, 0):
        assert (np.diff(size.prices, axis=1) >= 0).all()
    at = size.lots.index[size.lots["unit"] == "L1"][0]
    assert size.bidders[at].tolist() == [f"B{number}" for number in range(9)]


def test_thinned_bids_say_nothing_of_the_price(market):
    market.honest(2000, bids=12, seed=3)
    market.lots("lot award_method\nS1 lowest_price").bids("lot bidder price\nS1 A 1\nS1 B 2\nS1 C 3")
    small = next(iter(equal_sizes(market.engine, 3, 100)))
    whole = next(size for size in equal_sizes(market.engine, 12, 100) if size.bids == 12)
    lowest = whole.prices[:, 0]
    kept = small.prices[small.lots["unit"].str.startswith("H").to_numpy()]
    # Three of twelve bids hold the lowest with probability 1/4.
    assert abs((kept[:, 0] == lowest).mean() - 0.25) < 3 * np.sqrt(0.25 * 0.75 / 2000)
