"""What several detectors compute: arrays and tables in, arrays and tables out. No detector stands here."""
