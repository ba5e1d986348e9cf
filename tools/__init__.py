"""Generators of tables and checks of what is built; most run as scripts: ``python tools/make_tables.py``."""
