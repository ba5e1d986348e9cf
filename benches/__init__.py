"""Benchmarks of dicomcore beside peers in one run; each bench is a module: ``python -m benches.bench_rle``."""
