"""Deliveries (送达) after the night: held, corrected, answered; and results for every member office."""
