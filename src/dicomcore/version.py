"""The version of dicomcore, which is stated only here.

The build reads the literal without importing the package, whose native code is not compiled yet.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
