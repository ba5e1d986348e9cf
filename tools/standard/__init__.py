"""The tables of PS3.3 (IODs, modules, value sets) made into native ones: ``python -m tools.standard``.

`readers` holds one module for each source, `model` what they agree on, `corrections` and `overrides.toml` what is
decided by hand, `headers` the C headers.
"""
