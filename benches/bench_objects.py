"""Objects other than images: segmentations and contours to arrays, new segmentations, content trees.

`python -m benches.bench_objects [--quick]`; a full run writes objects.md beside this file.
"""

from __future__ import annotations

import sys
import warnings
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import highdicom
import numpy as np
import pydicom
from pydicom.sr.codedict import codes

import dicomcore as dc
from benches.inputs import real_files, structure_set
from benches.race import race
from benches.table import OURS, Row, machine, markdown
from dicomcore import sr
from dicomcore.objects import Segment, Segmentation, Structures, make_segmentation

warnings.simplefilter("ignore")
PACKAGES = ("numpy", "pydicom", "highdicom")
HEAD = """# Segmentations, contours and reports beside their peers

Written by `python -m benches.bench_objects`. Contestants took turns on the same input in one run; the best of each
counts, and none before its arrays were found equal to ours. Figures are for ratios.

AMD EPYC, {cores} cores, {system}, Python {python}; {packages}.

"""


def slices(count: int, side: int) -> list[dc.Dataset]:
    """CT slices without pixels, 1 mm apart."""
    made = []
    for number in range(count):
        ds = dc.Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"1.2.826.0.1.3680043.10.2.{number + 1}"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.826.0.1.3680043.10.3", "1.2.826.0.1.3680043.10.4"
        ds.FrameOfReferenceUID, ds.Modality = "1.2.826.0.1.3680043.10.5", "CT"
        ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "A^B", "1", "", ""
        ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName = "", "", "", "", ""
        ds.Rows = ds.Columns = side
        ds.PixelSpacing, ds.SliceThickness = [0.7, 0.7], 1.0
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0.0, 0.0, float(number)], [1.0, 0, 0, 0, 1, 0]
        made.append(ds)
    return made


def balls(count: int, side: int, segments: int) -> np.ndarray:
    """(planes, rows, columns, segments): balls that overlap."""
    plane, row, column = np.ogrid[:count, :side, :side]
    made = np.empty((count, side, side, segments), bool)
    for i in range(segments):
        centre = (i + 1) / (segments + 1)
        away = ((plane / count - centre) ** 2 + (row / side - 0.5) ** 2 + (column / side - centre) ** 2) ** 0.5
        made[..., i] = away < 0.3
    return made


def volume_by_highdicom(data: Any) -> np.ndarray:
    seg = highdicom.seg.segread(BytesIO(data) if isinstance(data, bytes) else data)
    volume = seg.get_volume(combine_segments=False)
    array = np.moveaxis(volume.array, -1, 0)
    turned = volume.affine[:3, 0] @ np.cross(volume.affine[:3, 2], volume.affine[:3, 1]) < 0
    return np.ascontiguousarray(array[:, ::-1] if turned else array)


def volume_by_us(data: Any) -> np.ndarray:
    return Segmentation(dc.dcmread(data)).arrays()


def segmentation_rows(quick: bool) -> list[Row]:
    contestants = {OURS: volume_by_us, "highdicom": volume_by_highdicom}
    count = 20 if quick else 200
    labels = [f"s{i}" for i in range(4)]
    large = make_segmentation(balls(count, 256, 4), slices(count, 256), segments=labels).to_bytes()
    inputs: dict[str, Any] = {f"SEG of {count} planes of 256 × 256, 4 segments": large}
    found = {path.name: path for path in real_files()}
    inputs |= {f"{name}, real": str(found[name]) for name in ("liver.dcm", "partial_overlaps.dcm") if name in found}
    rows = []
    for work, data in inputs.items():
        rounds = 3 if len(data) > 1000 else 15
        rows.append(Row(f"{work}: to arrays", race(data, contestants, rounds=rounds, clock=perf_counter), 1, "file"))
    return rows


def making_row(quick: bool) -> Row:
    count = 5 if quick else 50
    mask, sources = balls(count, 256, 2), slices(count, 256)
    theirs = [source.to_pydicom() for source in sources]
    described = [
        highdicom.seg.SegmentDescription(
            i + 1, f"s{i}", codes.SCT.Tissue, codes.SCT.Tissue, highdicom.seg.SegmentAlgorithmTypeValues.MANUAL
        )
        for i in range(2)
    ]

    def by_us(_: Any) -> bytes:
        made = make_segmentation(mask, sources, segments=[Segment("s0"), Segment("s1")])
        target = bytearray()
        made.save_as(target)
        return bytes(target)

    def by_highdicom(_: Any) -> bytes:
        uid = highdicom.UID
        given = mask.astype(np.uint8)
        made = highdicom.seg.Segmentation(
            theirs, given, "BINARY", described, uid(), 1, uid(), 1, "M", "X", "1", "2", omit_empty_frames=True
        )
        target = BytesIO()
        made.save_as(target)
        return target.getvalue()

    contestants = {OURS: by_us, "highdicom": by_highdicom}
    assert np.array_equal(*(volume_by_us(run(None)) for run in contestants.values())), "what is made differs"
    seconds = race(None, contestants, rounds=3, agree=False, clock=perf_counter)
    return Row(f"mask of {count} planes of 256 × 256, 2 segments, to a SEG's bytes", seconds, 1, "file")


def contours_row(quick: bool) -> Row:
    data = structure_set(contours=100 if quick else 1200)

    def by_us(data: bytes) -> np.ndarray:
        return np.concatenate([roi.points for roi in Structures(dc.dcmread(data))])

    def by_pydicom(data: bytes) -> np.ndarray:
        ds = pydicom.dcmread(BytesIO(data))
        found = [
            np.array(contour.ContourData, np.float64).reshape(-1, 3)
            for roi in ds.ROIContourSequence
            for contour in roi.ContourSequence
        ]
        return np.concatenate(found)

    seconds = race(data, {OURS: by_us, "pydicom": by_pydicom}, rounds=3, clock=perf_counter)
    return Row("RTSTRUCT of 200 points a contour: to arrays", seconds, 100 if quick else 1200, "contour")


def report_row() -> Row | None:
    path = next((path for path in real_files() if str(path).endswith("sr-example/sr.dcm")), None)
    if path is None:
        return None

    def by_us(path: Path) -> list[str]:
        return [item.concept.value for _, item in sr.read(dc.dcmread(path)).root.walk() if item.concept is not None]

    def by_pydicom(path: Path) -> list[str]:
        found, pending = [], [pydicom.dcmread(path)]
        while pending:
            item = pending.pop()
            if "ConceptNameCodeSequence" in item:
                found.append(item.ConceptNameCodeSequence[0].CodeValue)
            pending += reversed(item.get("ContentSequence", []))
        return found

    contestants = {OURS: by_us, "pydicom, concept names alone": by_pydicom}
    assert by_us(path) == by_pydicom(path), "the trees differ"
    return Row("real report of 256 items: read", race(path, contestants, agree=False, clock=perf_counter), 256, "item")


def rows(quick: bool = False) -> list[Row]:
    """All rows of the table; they have no aims."""
    return [*segmentation_rows(quick), making_row(quick), contours_row(quick), *filter(None, [report_row()])]


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    about = machine(PACKAGES)
    packages = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    table = HEAD.format(**about, packages=packages) + markdown(rows(quick))
    print(table)
    if not quick:
        (Path(__file__).parent / "objects.md").write_text(table)
