"""An index of files on slow storage: a preloaded library lets every look-up, opening, read and closing wait 2 ms.

The library also counts the operations, so that the least time is known: operations × delay, by the requests that wait
at a time. Linux with gcc; nothing is installed.

python -m benches.bench_slow [--files 2000]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pydicom.data

from benches.table import OURS, Row, markdown
from dicomcore.archive.tables.slow import REQUESTS

DELAY = 2e-3
LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_long operations;
static atomic_uchar slow[1 << 16];

static void wait_for_storage(void) {
    struct timespec delay = {0, 2000000};
    atomic_fetch_add(&operations, 1);
    nanosleep(&delay, 0);
}
static int is_ours(const char *path) { return strstr(path, ".slow") != 0; }
static int of_ours(int fd) { return fd >= 0 && fd < 1 << 16 && slow[fd]; }
static int opened(int fd, int ours) { if (fd >= 0 && fd < 1 << 16) slow[fd] = ours; return fd; }

#define REAL(kind, name, ...) static kind (*real)(__VA_ARGS__); if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)
#define OPENS(name)                                                                   \
    int name(const char *path, int flags, ...) {                                      \
        REAL(int, #name, const char *, int, ...);                                     \
        va_list more; va_start(more, flags); int mode = va_arg(more, int); va_end(more); \
        if (is_ours(path)) wait_for_storage();                                        \
        return opened(real(path, flags, mode), is_ours(path));                        \
    }
OPENS(open) OPENS(open64)
#define OPENS_AT(name)                                                                \
    int name(int at, const char *path, int flags, ...) {                              \
        REAL(int, #name, int, const char *, int, ...);                                \
        va_list more; va_start(more, flags); int mode = va_arg(more, int); va_end(more); \
        if (is_ours(path)) wait_for_storage();                                        \
        return opened(real(at, path, flags, mode), is_ours(path));                    \
    }
OPENS_AT(openat) OPENS_AT(openat64)
#define READS(name)                                                                   \
    ssize_t name(int fd, void *to, size_t n, off_t at) {                              \
        REAL(ssize_t, #name, int, void *, size_t, off_t);                             \
        if (of_ours(fd)) wait_for_storage();                                          \
        return real(fd, to, n, at);                                                   \
    }
READS(pread) READS(pread64)
ssize_t read(int fd, void *to, size_t n) {
    REAL(ssize_t, "read", int, void *, size_t);
    if (of_ours(fd)) wait_for_storage();
    return real(fd, to, n);
}
int close(int fd) {
    REAL(int, "close", int);
    if (of_ours(fd)) { wait_for_storage(); slow[fd] = 0; }
    return real(fd);
}
#define LOOKS(name)                                                                   \
    int name(const char *path, void *to) {                                     \
        REAL(int, #name, const char *, void *);                                \
        if (is_ours(path)) wait_for_storage();                                        \
        return real(path, to);                                                        \
    }
LOOKS(stat) LOOKS(stat64) LOOKS(lstat) LOOKS(lstat64)
#define LOOKS_AT(name)                                                                \
    int name(int at, const char *path, void *to, int flags) {                  \
        REAL(int, #name, int, const char *, void *, int);                      \
        if (path ? is_ours(path) : of_ours(at)) wait_for_storage();                   \
        return real(at, path, to, flags);                                             \
    }
LOOKS_AT(fstatat) LOOKS_AT(fstatat64)
#define LOOKS_IN(name)                                                                \
    int name(int fd, void *to) {                                               \
        REAL(int, #name, int, void *);                                         \
        if (of_ours(fd)) wait_for_storage();                                          \
        return real(fd, to);                                                          \
    }
LOOKS_IN(fstat) LOOKS_IN(fstat64)
__attribute__((destructor)) static void tell(void) { fprintf(stderr, "operations %ld\n", (long)operations); }
"""
PROGRAM = """
import sys
from time import perf_counter
from dicomcore.archive import index
folder, workers = sys.argv[1], int(sys.argv[2]) or None
begun = perf_counter()
table = index(folder, workers=workers)
print(perf_counter() - begun, table.num_rows, table["error"].null_count)
"""


def preloaded(folder: Path) -> Path:
    """The library that delays the operations on files whose path holds ".slow"."""
    source, library = folder / "slow.c", folder / "libdelay.so"
    source.write_text(LIBRARY)
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def one_run(folder: Path, library: Path, files: int, workers: int) -> tuple[float, int]:
    """Seconds of one index in a process of its own, and the operations that waited."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(workers)],
        capture_output=True, text=True, check=True, env={**os.environ, "LD_PRELOAD": str(library)},
    )  # fmt: skip
    seconds, rows, sound = run.stdout.split()
    assert int(rows) == int(sound) == files, f"{rows} rows, {sound} without an error"
    return float(seconds), int(run.stderr.split("operations ")[1])


def rows(files: int = 2000) -> list[Row]:
    """The row of the table; none where there is no compiler."""
    if not shutil.which("gcc") or sys.platform != "linux":
        return []
    image = (Path(pydicom.data.__file__).parent / "test_files/CT_small.dcm").read_bytes()
    with tempfile.TemporaryDirectory(prefix="dicomcore-bench-") as place:
        archive = Path(place) / "archive"
        archive.mkdir()
        for i in range(files):
            (archive / f"{i:06}.slow.dcm").write_bytes(image)
        library = preloaded(Path(place))
        chosen, operations = one_run(archive, library, files, 0)
        two, _ = one_run(archive, library, files, 2)
    least = operations * DELAY / REQUESTS
    row = Row(
        f"index of {files} files, 2 ms an operation",
        {OURS: chosen, "2 threads": two, "the delays": least},
        files,
        "file",
    )
    row.at_most(1.3, "× operations × delay ÷ requests in flight", chosen / least)
    row.notes.append(f"{operations / files:.1f} operations a file, {REQUESTS} in flight")
    return [row]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    print(markdown(rows(parser.parse_args().files)))
