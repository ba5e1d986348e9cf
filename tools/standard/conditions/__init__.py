"""Conditions of attributes and modules: read from texts, compared with a second source, encoded for native code.

`python -m tools.standard.conditions` writes coverage.csv, usages.csv and differences.csv again, and compares
only with `--check`.
"""

from tools.standard.conditions.code import Pool, decode, decode_condition, encode, encode_condition
from tools.standard.conditions.tables import includes, trees
from tools.standard.conditions.tree import Condition, Tree

__all__ = ["Condition", "Pool", "Tree", "decode", "decode_condition", "encode", "encode_condition", "includes", "trees"]
