"""The red-flag indicators of OCDS data: releases in, verdicts out, apart from the night."""
