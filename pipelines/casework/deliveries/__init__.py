"""What went out (送达) and what came back: holds, corrections, answered lists, results for all members."""
