"""From flagged rows to what an office is told: signals, rows of the alert list, who is in charge, the outbox."""
