"""The command line, one module a desk.

A module with an ``app`` is a command or a group of commands of the same name: `pipelines.cli` finds it here and
imports it when it is asked for. To add one, write a file: its options from ``options.py``, its place in the help by
a ``Panel``, and what it says as ``Both`` texts below the imports. Modules without an ``app`` help the others.
"""
