"""Double-random inspections (双随机): pools, plans, draws, results, publication."""
