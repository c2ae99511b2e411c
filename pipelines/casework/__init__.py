"""What people do after the night: cases, referrals, clocks, complaints, lists, draws.

The machine opens cases and sets flags; every other step here is somebody's, under a name (`acting`).
"""
