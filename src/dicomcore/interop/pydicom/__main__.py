"""``python -m dicomcore.interop.pydicom program.py …``: run a program with dicomcore in pydicom's place."""

from __future__ import annotations

import os
import runpy
import sys

from dicomcore.interop.pydicom.place import install

USAGE = """usage: python -m dicomcore.interop.pydicom PROGRAM [ARGUMENT …]
       python -m dicomcore.interop.pydicom -m MODULE [ARGUMENT …]
       python -m dicomcore.interop.pydicom -c CODE [ARGUMENT …]

Runs a Python program, unchanged, with dicomcore in pydicom's place. What the program asks pydicom for and dicomcore
does not have is listed on standard error at its end."""


def main(arguments: list[str]) -> int:
    """Run a program, a module or code; the exit code is theirs, or 2 for wrong use."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    kind = arguments[0] if arguments[0] in ("-m", "-c") else ""
    if not kind and arguments[0].startswith("-"):
        print(f"unknown option {arguments[0]}\n{USAGE}", file=sys.stderr)
        return 2
    program = arguments[1:] if kind else arguments
    if not program:
        print(f"{kind} needs an argument\n{USAGE}", file=sys.stderr)
        return 2
    if not kind and not os.path.exists(program[0]):
        print(f"no such program: {program[0]}", file=sys.stderr)
        return 2
    install()
    _run(kind, program)
    return 0


def _run(kind: str, program: list[str]) -> None:
    if kind == "-m":
        sys.argv = program
        sys.path[0] = os.getcwd()
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *program[1:]]
        sys.path[0] = ""
        exec(compile(program[0], "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
    else:
        sys.argv = program
        sys.path[0] = os.path.dirname(os.path.abspath(program[0]))
        runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
