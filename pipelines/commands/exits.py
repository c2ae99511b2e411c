"""Exit codes of the command line; 0 is done."""

#: Done, with refused rows or an incomplete source.
REFUSED_ROWS = 1
INPUT_REFUSED = 2
#: A gate is closed: nothing is published and the last snapshot stays current, or what a source brought is left out.
GATE_CLOSED = 3
INTEGRITY_FAILURE = 4
#: A fault of the program: EX_SOFTWARE of sysexits.h.
SOFTWARE_FAILURE = 70
#: Another night is running: EX_TEMPFAIL of sysexits.h.
BUSY = 75
