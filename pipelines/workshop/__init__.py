"""What judges the detectors and does not run at night: evaluation, trust, rehearsal."""
