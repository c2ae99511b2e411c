"""The detectors: one file, one detector, pure.

``detectors/<family>/<name>.py`` is the detector ``<family>.<name>``. It reads the published
tables through an ``Engine`` and returns one row per unit that it could judge; it opens no file,
reads no clock and knows no file format. ``contract.py`` says what such a file must hold.
"""
