"""De-identification beside dicom-anonymizer, deid, dicognito, dcmanon and gdcmanon, each in a process of its own.

DEID_PEERS names the Python that has the peers (see `benches.deid_peers`); without it only our times are shown.
``python -m benches.bench_deid [--quick] [--set]``: `--set` also runs the set of hidden identities and the count of
ruled elements, which takes minutes.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time

import pydicom

from benches import deid_files, deid_peers, deid_rules, deid_score, deid_set
from benches.deid_people import UidMaker, da, people
from benches.table import OURS, Row, markdown
from dicomcore import Dataset

MEMORY = "/dev/shm"
PIXELS = {"recode": True, "how": ("regions", "masks", "detect")}  # without OCR, which is not the same everywhere
SIDE = 224  # pixels of an image of 100 KB
PEERS_FACTOR = {"dcmanon": 7, "gdcmanon": 18, "dicom-anonymizer": 250, "deid": 600}


def image(rows: int = SIDE, columns: int = SIDE, frames: int = 1) -> bytes:
    """A real CT header with pixel data of a size."""
    ds = pydicom.dcmread(deid_files.find("CT_small.dcm"))
    ds.Rows, ds.Columns = rows, columns
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.PixelData = bytes(range(256)) * (rows * columns * 2 // 256 * frames)
    del ds[0xFFFCFFFC]
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


@contextmanager
def memory_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as place:
        yield Path(place)


def peers() -> list[str]:
    return [name for name in deid_peers.available() if name != "PixelMed"] if "DEID_PEERS" in os.environ else []


def one_file(rounds: int) -> Row:
    """One file of 100 KB in memory, processor time."""
    from dicomcore import deid

    data, count = image(), 200
    plan = deid.Plan(key=deid.Key.generate())
    seconds = {OURS: float("inf")}

    def ours() -> None:
        for _ in range(rounds):
            begun = process_time()
            for _ in range(count):
                deid.apply(data, io.BytesIO(), plan)
            seconds[OURS] = min(seconds[OURS], (process_time() - begun) / count)

    ours()
    with memory_folder() as place:
        path = place / "image.dcm"
        path.write_bytes(data)
        for name in peers():
            if name != "gdcmanon":  # a process a file: see the folder
                run = deid_peers.in_memory(name, path, 20 if name != "dcmanon" else 200)
                seconds[name] = run.seconds / run.files
                ours()
    row = Row(f"a file of {len(data) // 1000} KB in memory, processor time", seconds, 1, "file")
    row.at_most(80, "µs", seconds[OURS] * 1e6)
    for name, factor in PEERS_FACTOR.items():
        row.at_least(factor, name)
    return row


def folder(files: int) -> Row:
    """A folder into another, on tmpfs, by the clock: ours on two threads in a process, peers as they come."""
    data = image()
    with memory_folder() as place:
        fill(place / "in", data, files)
        taken, most = started("folder", place / "in", place / "out")
        seconds = {OURS: taken / files}
        few = min(files, 100)
        fill(place / "few", data, few)
        for name in peers():
            seconds[name] = deid_peers.over_folder(name, place / "few", place / name).seconds / few
    row = Row(
        f"{files:,} files of 100 KB to another folder, two threads, wall clock; peers' processor time",
        seconds,
        1,
        "file",
    )
    row.notes.append(f"{files / taken:,.0f} files/s of 6,000 wanted; {most / 1e6:.0f} MB resident at most")
    row.at_most(1000 / 6, "µs", taken / files * 1e6)
    row.at_least(18, "gdcmanon")
    return row


def fill(place: Path, data: bytes, files: int) -> None:
    """Copies of one image, each with an instance UID of its own."""
    place.mkdir()
    uid = pydicom.dcmread(io.BytesIO(data)).SOPInstanceUID.encode()
    for number in range(files):
        mine = uid[: len(uid) - 6] + f"{number:06}".encode()
        (place / f"{number:06}.dcm").write_bytes(data.replace(uid, mine))


def started(mode: str, source: Path, out: Path) -> tuple[float, int]:
    """Our work in a process of its own: seconds by its clock, and bytes resident at most."""
    done = subprocess.run(
        [sys.executable, "-m", "benches.bench_deid", mode, str(source), str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    taken, most = done.stdout.split()[-2:]
    return float(taken), int(most)


def inside(mode: str, source: Path, out: Path) -> None:
    """What `started` starts."""
    from dicomcore import deid

    plan = deid.Plan(key=deid.Key.generate())
    begun = perf_counter()
    if mode == "folder":
        deid.folder(source, out, plan, workers=2)
    else:
        deid.apply(source, out, plan)
    taken = perf_counter() - begun
    print(taken, peak())


def peak() -> int:
    """Bytes resident at most in this process; getrusage would tell of the process that started it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def gigabyte(size: int, rounds: int = 3) -> Row:
    """One large multi-frame file, beside cp."""
    with memory_folder() as place:
        source = place / "large.dcm"
        source.write_bytes(image(1024, 1024, frames=max(2, size // (2 << 20))))
        best = {OURS: float("inf"), "cp": float("inf")}
        most = 0
        for _ in range(rounds):
            taken, resident = started("file", source, place / "out.dcm")
            best[OURS], most = min(best[OURS], taken), max(most, resident)
            (place / "out.dcm").unlink()
            begun = perf_counter()
            subprocess.run(["cp", str(source), str(place / "copy.dcm")], check=True)
            best["cp"] = min(best["cp"], perf_counter() - begun)
            (place / "copy.dcm").unlink()
    row = Row(f"a multi-frame file of {size / 1e9:.1f} GB, wall clock", best, 1, "file")
    row.at_most(1.3, "× cp", best[OURS] / best["cp"])
    row.at_most(64, "MB resident", most / 1e6)
    return row


def residual(size: int, rounds: int) -> Row:
    """The search for identifiers that are left in an output, on one thread."""
    from dicomcore import deid

    with memory_folder() as place:
        path = place / "out.dcm"
        path.write_bytes(image(1024, 1024, frames=max(2, size // (2 << 20))))
        length = path.stat().st_size
        against = identities()
        best = float("inf")
        for _ in range(rounds):
            begun = process_time()
            deid.verify(path, against)
            best = min(best, process_time() - begun)
    row = Row("search for residual identifiers, processor time", {OURS: best}, 1, f"{length / 1e9:.2f} GB")
    row.at_most(1, "ns a byte", best / length * 1e9)
    return row


def identities() -> Dataset:
    """A data set with what identifies somebody."""
    who = people(1, 1, UidMaker(1))[0]
    ds = Dataset()
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = who.named.name, who.id, da(who.birth)
    ds.PatientTelephoneNumbers, ds.PatientAddress, ds.AccessionNumber = who.phone, who.address, who.accession
    ds.InstitutionName, ds.DeviceSerialNumber, ds.StationName = who.institution, who.serial, who.station
    ds.ReferringPhysicianName, ds.OperatorsName, ds.StudyDate = who.staff[0], who.staff[1], da(who.study_date)
    ds.StudyInstanceUID, ds.FrameOfReferenceUID = who.study_uid, who.frame_of_reference
    return ds


def rows(quick: bool = False) -> list[Row]:
    rounds = 3 if quick else 10
    found = []
    for bench in (
        lambda: one_file(rounds),
        lambda: folder(500 if quick else 4000),
        lambda: gigabyte(1 << 27 if quick else 1 << 30),
        lambda: residual(1 << 26 if quick else 1 << 28, rounds),
    ):
        try:
            found.append(bench())
        except (ImportError, AttributeError, NotImplementedError) as error:
            print(f"left out: {error}", file=sys.stderr)
    return found


def our_set(folder: Path, out: Path) -> None:
    """The set through dicomcore, with the options of its key."""
    from dicomcore import deid

    plan = deid.Plan(options=deid_files.OPTIONS, key=deid.Key.generate(), pixels=PIXELS)
    if hasattr(deid, "folder"):
        deid.folder(folder / "in", out, plan, workers=2, dicomdir=True)
        return
    out.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted(one for one in (folder / "in").rglob("*") if one.is_file())):
        with contextlib.suppress(deid.DeidError):  # the directory of a file-set
            deid.apply(path, out / f"{number:05}.dcm", plan)


def set_tables(people: int = 8) -> str:
    """The set through every tool, and the count of ruled elements that they keep."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "set"
        deid_set.make(folder, count=people)
        scores = {}
        our_set(folder, Path(place) / OURS)
        scores[OURS] = deid_score.score(folder, Path(place) / OURS)
        table = deid_peers.write_table(Path(place) / "table.json", deid_rules.told(deid_files.OPTIONS))
        for name in deid_peers.available() if "DEID_PEERS" in os.environ else ():
            deid_peers.over_folder(name, folder / "in", Path(place) / name, table)
            scores[name] = deid_score.score(folder, Path(place) / name)
    return f"{deid_score.table(scores)}\n\n{deid_rules.table(deid_rules.rows([OURS, *peers()]))}"


def main() -> None:
    warnings.simplefilter("ignore")
    if len(sys.argv) == 4:
        inside(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
        return
    print(markdown(rows("--quick" in sys.argv)))
    if "--set" in sys.argv:
        print(set_tables())


if __name__ == "__main__":
    main()
