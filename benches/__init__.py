"""Ours and the peers side by side in one run; each bench is a module: ``python -m benches.bench_rle``."""
