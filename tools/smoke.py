"""Use an installed dicomcore once, with all parts of its native code: ``python -I tools/smoke.py INDEX.parquet``.

It needs the extra `archive` and pydicom, whose test files it reads and whose pixels and values it compares. The
imported package must be the installed one, not the source tree.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pydicom.data

import dicomcore as dc
from dicomcore import archive, codecs

FILES = Path(pydicom.data.__file__).parent / "test_files"
# PLAIN: files that pydicom decodes by itself. CODED: a file for each kind of decoder, and the same image uncompressed.
PLAIN = ("CT_small.dcm", "MR_small.dcm")
CODED = {"MR_small_RLE.dcm": "MR_small.dcm", "MR_small_jp2klossless.dcm": "MR_small.dcm"}


def read() -> int:
    """Compare element values with pydicom's; give their number."""
    seen = 0
    for name in PLAIN:
        ours, theirs = dc.dcmread(FILES / name), pydicom.dcmread(FILES / name)
        for element in theirs:
            if isinstance(element.value, (str, int, float)) and element.keyword:
                assert getattr(ours, element.keyword) == element.value, element
                seen += 1
    return seen


def decode() -> None:
    for name in PLAIN:
        assert np.array_equal(dc.dcmread(FILES / name).pixel_array, pydicom.dcmread(FILES / name).pixel_array)
    for name, plain in CODED.items():
        assert np.array_equal(dc.dcmread(FILES / name).pixel_array, dc.dcmread(FILES / plain).pixel_array), name
    image = dc.dcmread(FILES / "MR_small.dcm").pixel_array.astype(np.uint16)
    assert np.array_equal(codecs.jpeg_lossless_decode(codecs.jpeg_lossless_encode(image)), image)


def write() -> None:
    data = (FILES / "CT_small.dcm").read_bytes()
    ds = dc.dcmread(data)
    assert ds.to_bytes() == data
    ds.PatientID = "changed"
    assert dc.dcmread(ds.to_bytes()).PatientID == "changed"


def index(out: Path) -> int:
    archive.index(FILES, out=out, resume=False)
    table = pq.read_table(out)
    good = [row for row in table.to_pylist() if row["error"] is None]
    assert len(good) > 50, f"only {len(good)} files could be read"
    assert {"CT", "MR"} <= {row["Modality"] for row in good}
    return len(good)


def main() -> None:
    where = Path(dc.__file__).resolve()
    assert Path(sys.prefix).resolve() in where.parents, f"{where} isn't the installed package"
    assert version("dicomcore") == dc.__version__, f"installed as {version('dicomcore')}, but it says {dc.__version__}"
    values = read()
    decode()
    write()
    rows = index(Path(sys.argv[1]))
    print(f"dicomcore {version('dicomcore')}: {values} values, pixels, writing and {rows} rows of an index are right")


if __name__ == "__main__":
    main()
