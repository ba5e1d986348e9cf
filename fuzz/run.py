"""Fuzz dicomcore: ``make fuzz TIME=60 TARGET=rle``, or ``python -m fuzz.run --time 60 --target rle``.

The extensions are built by clang with AddressSanitizer, UBSan and libFuzzer's counters into build/fuzz, then each
target runs in a process of its own. Inputs that reach new code are kept in build/fuzz/kept for the next run.
The first finding ends a target; the exit code is 1 if there was any.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tools import sanitize

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "fuzz"
LEAST = 5  # seconds of a target; a loaded machine needs some of them for the seeds
HANG, MEMORY, ONE_BLOCK = 20, 4096, 1024  # seconds an input may take; MiB of the process, and of one allocation
CLANGS = ("clang", *(f"clang-{version}" for version in range(22, 13, -1)))
# `function`: atheris' runtime lacks that check; Cython calls through pointers of like type.
INSTRUMENTED = "-fsanitize=fuzzer-no-link -fno-sanitize=function -w"


class Result(NamedTuple):
    """The figures of a target's run, from libFuzzer's output."""

    name: str
    seconds: float
    executions: int
    edges: int
    features: int
    kept: int
    finding: str


def find_clang() -> str | None:
    """The compiler: SANITIZED_CC, or the first clang that brings what -fsanitize=fuzzer-no-link needs."""
    named = os.environ.get("SANITIZED_CC")
    for one in (named,) if named else CLANGS:
        if not shutil.which(one):
            continue
        check = [one, "-xc", "-", "-c", "-o", os.devnull, "-fsanitize=address,fuzzer-no-link"]
        if subprocess.run(check, input=b"int x;", capture_output=True).returncode == 0:
            return one
    return None


def absent() -> str:
    """A sentence about a missing requirement of fuzzing; empty if all are installed."""
    if sys.platform != "linux":
        return "fuzzing is set up for Linux alone"
    if importlib.util.find_spec("atheris") is None:
        return "atheris is not installed: pip install atheris (Python 3.11 to 3.13)"
    if find_clang() is None:
        return "no clang with libFuzzer's instrumentation: apt-get install clang libclang-rt-dev, or set SANITIZED_CC"
    return ""


def put_seeds(name: str) -> Path:
    """Write the target's seeds as files, in this process, into which no sanitizer is preloaded."""
    from fuzz.targets import TARGETS

    folder = BUILD / "seeds" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for data in TARGETS[name].seeds():
        data = data[: TARGETS[name].most]
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
    return folder


def fuzz(name: str, seconds: int, library: Path) -> Result:
    """Run one target."""
    from fuzz.targets import TARGETS

    atheris = importlib.util.find_spec("atheris")
    assert atheris is not None
    assert atheris.origin is not None
    runtime = Path(atheris.origin).parents[1] / "asan_with_fuzzer.so"
    seeds, kept, findings = put_seeds(name), BUILD / "kept" / name, BUILD / "findings"
    kept.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    before = set(findings.iterdir())
    options = {
        "max_total_time": seconds,
        "max_len": TARGETS[name].most,
        "timeout": HANG,
        "report_slow_units": HANG,
        "rss_limit_mb": MEMORY,
        "malloc_limit_mb": ONE_BLOCK,
        "artifact_prefix": f"{findings}/{name}-",
        "dict": BUILD / "words.txt",
        "print_final_stats": 1,
    }
    environment = {**os.environ, **sanitize.CALM, "LD_PRELOAD": str(runtime), "PYTHONPATH": str(library)}
    command = [sys.executable, "-m", "fuzz.engine", name]
    command += [f"-{option}={value}" for option, value in options.items()]
    log = BUILD / "logs" / f"{name}.txt"
    log.parent.mkdir(exist_ok=True)
    start = time.monotonic()
    with log.open("w") as stream:
        code = subprocess.run(
            [*command, str(kept), str(seeds)], cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT
        ).returncode
    said = log.read_text(errors="replace")
    new = sorted(set(findings.iterdir()) - before)
    finding = f"exit code {code}, see {log.relative_to(ROOT)}" if code else ""
    if new:
        finding = str(new[0].relative_to(ROOT))
    last = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", said)
    edges, features, corpus = map(int, last[-1]) if last else (0, 0, 0)
    executions = re.findall(r"(?:stat::number_of_executed_units: |^#)(\d+)", said, re.MULTILINE)
    return Result(
        name, time.monotonic() - start, int(executions[-1]) if executions else 0, edges, features, corpus, finding
    )


def report(result: Result) -> None:
    line = f"{result.name:14} {result.seconds:6.0f} s {result.executions:10} runs {result.edges:7} edges "
    line += f"{result.features:7} features {result.kept:6} kept"
    print(line + (f"  FINDING: {result.finding}" if result.finding else ""), flush=True)
    if result.finding.startswith("build"):
        print(f"    again: python -m fuzz.replay {result.finding} {result.name}", flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    seconds = f"seconds in all, divided evenly, but at least {LEAST} a target (default 300)"
    parser.add_argument("--time", type=int, default=300, help=seconds)
    parser.add_argument("--target", action="append", help="fuzz only this target; may be repeated")
    chosen = parser.parse_args(arguments)
    missing = absent()
    if missing:
        print(f"NOT FUZZED: {missing}", file=sys.stderr)
        return 0
    clang = find_clang()
    assert clang is not None
    library = sanitize.build(BUILD, SANITIZED_CC=clang, SANITIZED_MORE=INSTRUMENTED)
    from fuzz.targets import TARGETS
    from fuzz.words import dictionary

    (BUILD / "words.txt").write_text(dictionary())
    names = chosen.target or list(TARGETS)
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    results = []
    for name in names:
        results.append(fuzz(name, max(chosen.time // len(names), LEAST), library))
        report(results[-1])
    found = [one.name for one in results if one.finding]
    print(f"{len(found)} findings" + (f": {', '.join(found)}" if found else ""))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
