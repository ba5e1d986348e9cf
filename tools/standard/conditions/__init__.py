"""Conditions of attributes and modules: texts read into trees, checked against a second source, encoded for native code.

`python -m tools.standard.conditions` writes coverage.csv, usages.csv and differences.csv again; `--check` compares only.
"""

from tools.standard.conditions.code import Pool, decode, decode_condition, encode, encode_condition
from tools.standard.conditions.tables import trees
from tools.standard.conditions.tree import Condition, Tree

__all__ = ["Condition", "Pool", "Tree", "decode", "decode_condition", "encode", "encode_condition", "trees"]
