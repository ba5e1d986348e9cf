"""The version of dicomcore, in the one place where it stands.

The build reads the literal without importing the package, whose native code it has yet to compile.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
