"""What people do after the night: cases, referrals, deadlines, complaints, deliveries, lists, inspections, reports.

The machine opens cases and sets flags. Every other step is a person's, under a name (`acts`).
"""
