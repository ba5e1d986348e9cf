"""Fuzzing of every entry that takes bytes, see ``run``; a finding again by ``python -m fuzz.replay``."""
