"""The red-flag indicators of OCDS data, apart from the detectors."""
