"""One target under libFuzzer, by way of atheris: run.py starts it, with the instrumented build and its runtime.

``python fuzz/engine.py TARGET [libFuzzer's options and folders]``
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from pathlib import Path

import atheris

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))  # helpers of targets

UNREACHED = ("cli", "archive", "interop", "_native", "__init__", "pixels/isolation")  # or native, or brought along

with atheris.instrument_imports(include=["dicomcore"], enable_loader_override=False):
    import dicomcore

    ROOT = Path(dicomcore.__file__).parent
    for path in ROOT.rglob("*.py"):
        inside = path.relative_to(ROOT).with_suffix("").as_posix()
        if not inside.startswith(UNREACHED):
            import_module(f"dicomcore.{inside.replace('/', '.')}".removesuffix(".__init__"))

from targets import TARGETS  # noqa: E402


def main() -> None:
    name = sys.argv.pop(1)
    warnings.simplefilter("ignore")
    atheris.Setup(sys.argv, TARGETS[name], enable_python_coverage=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
