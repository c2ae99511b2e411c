"""From the inbox to typed rows: receiving, reading in a shut-in process, mapping, checking, refusing with a reason."""
