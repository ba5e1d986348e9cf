"""Fuzzing of every function that takes bytes, see ``run``; ``python -m fuzz.replay`` repeats a finding."""
