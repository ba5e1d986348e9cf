"""Run one target under libFuzzer through atheris; run.py starts it with the instrumented build and its runtime.

``python -m fuzz.engine TARGET [libFuzzer's options and folders]``
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from pathlib import Path

import atheris

NATIVE = frozenset(("scan", "numbers", "rle", "jpeg-lossless", "jpeg-tail", "encoders", "unpack", "colour", "native"))
"""Targets of native code. Their native counters suffice; instrumenting the Python code takes many seconds."""
UNREACHED = ("cli", "archive", "interop", "_native", "__init__", "__main__", "pixels/isolation")
"""Modules that are not instrumented: out of reach of targets, native, or imported by others anyhow."""


def instrument() -> None:
    """Import the package with a counter at every branch of its Python code."""
    with atheris.instrument_imports(include=["dicomcore"], enable_loader_override=False):
        import dicomcore

        root = Path(dicomcore.__file__).parent
        for path in root.rglob("*.py"):
            inside = path.relative_to(root).with_suffix("").as_posix()
            if not inside.startswith(UNREACHED):
                import_module(f"dicomcore.{inside.replace('/', '.')}".removesuffix(".__init__"))


def main() -> None:
    name = sys.argv.pop(1)
    if name not in NATIVE:
        instrument()
    from fuzz.targets import TARGETS

    warnings.simplefilter("ignore")
    atheris.Setup(sys.argv, TARGETS[name], enable_python_coverage=name not in NATIVE)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
