"""Generators of tables, and checks of builds; most run as scripts: ``python tools/make_tables.py``."""
