"""One target under libFuzzer, by way of atheris: run.py starts it, with the instrumented build and its runtime.

``python fuzz/engine.py TARGET [libFuzzer's options and folders]``
"""

from __future__ import annotations

import pkgutil
import sys
import warnings
from importlib import import_module
from pathlib import Path

import atheris

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))  # helpers of targets

UNREACHED = ("dicomcore.cli", "dicomcore.archive", "dicomcore.interop", "dicomcore.pixels.isolation")

with atheris.instrument_imports(include=["dicomcore"], enable_loader_override=False):
    import dicomcore

    for module in pkgutil.walk_packages(dicomcore.__path__, "dicomcore."):
        if not module.name.startswith((*UNREACHED, "dicomcore._native")) and not module.name.endswith("__main__"):
            import_module(module.name)

from targets import TARGETS  # noqa: E402


def main() -> None:
    name = sys.argv.pop(1)
    warnings.simplefilter("ignore")
    atheris.Setup(sys.argv, TARGETS[name], enable_python_coverage=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
