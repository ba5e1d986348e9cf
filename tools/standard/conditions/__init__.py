"""Conditions of attributes and modules: texts read into trees, checked against a second source, encoded for native code.

`python -m tools.standard.conditions` writes coverage.csv, usages.csv and differences.csv again; `--check` compares only.
"""
