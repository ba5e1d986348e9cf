"""The demo: collect the DICOM files that pydicom ships, index them from the command line, look at the table."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pydicom.data

from dicomcore import UID

HEAD = ("PatientID", "Modality", "StudyDate", "Rows", "Columns", "PixelSpacing", "TransferSyntaxUID")
WIDTH = 18
REAL_FILES = ("test_files", "charset_files")


def collect(archive: Path) -> None:
    """Copy pydicom's files into `archive`, as they are: DICOM, DICOMDIR, and some that are neither."""
    if archive.exists():
        shutil.rmtree(archive)
    for folder in REAL_FILES:
        shutil.copytree(Path(pydicom.data.__file__).parent / folder, archive / folder)


def show_head(table, rows: int = 8) -> None:
    """Print a few columns of the first readable rows."""
    print("\nThe table's head")
    print("  " + "".join(f"{name:<{WIDTH}}" for name in HEAD))
    readable = table.filter(pc.is_null(table["error"])).select(HEAD)
    for row in readable.slice(0, rows).to_pylist():
        texts = ["" if value is None else str(value) for value in row.values()]
        print("  " + "".join(f"{text[: WIDTH - 2]:<{WIDTH}}" for text in texts))
    print(f"  … {table.num_rows} rows, {table.num_columns} columns")


def show_counts(table, column: str) -> None:
    """Print how many files have each value, most frequent first; UIDs by their name."""
    print(f"\nFiles by {column}")
    readable = table.filter(pc.is_null(table["error"]))
    counts = [(one["counts"], one["values"]) for one in pc.value_counts(readable[column]).to_pylist()]
    for count, value in sorted(counts, key=lambda one: (-one[0], str(one[1]))):
        print(f"  {count:>5}  {'(none)' if value is None else UID(value).name if column.endswith('UID') else value}")


def show_unreadable(table) -> None:
    """Print the files that could not be read, and why, without those that are not DICOM."""
    failed = pc.not_equal(table["error_kind"], "not DICOM")
    rows = table.filter(failed).select(["path", "error"]).to_pylist()
    print(f"\nFiles that could not be read: {len(rows)}")
    for row in rows:
        print(f"  {row['path']}\n      {row['error']}")


def main(folder: Path) -> int:
    archive, out = folder / "archive", folder / "index.parquet"
    collect(archive)
    command = [sys.executable, "-m", "dicomcore.cli", "index", str(archive), "-o", str(out), "--no-resume"]
    print("$", "dicomcore", *command[3:], flush=True)
    code = subprocess.run(command).returncode
    if code not in (0, 1):  # 1: some files could not be read, as expected here
        return code
    table = pq.read_table(out)
    show_head(table)
    show_counts(table, "Modality")
    show_counts(table, "TransferSyntaxUID")
    show_unreadable(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo")))
