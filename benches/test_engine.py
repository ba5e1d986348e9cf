"""The engine under pytest-benchmark: `pytest benches --benchmark-json=FILE` groups ours and the peers by work.

The ratios that the project states come from run.py, where contestants take turns; these tests follow one
contestant from commit to commit (`--benchmark-compare`).
"""

from __future__ import annotations

import pytest

import dicomcore as dc
from benches import inputs
from benches.bench_values import contours_numpy, contours_ours, values_ours, values_pydicom
from benches.bench_walk import on_disk, walk_ours, walk_pydicom
from benches.peers import SEVEN_TAGS

FILES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "reportsi.dcm", "chrH31.dcm")
pytest.importorskip("pytest_benchmark")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("who", SEVEN_TAGS)
def test_seven_tags(benchmark, who, name):
    benchmark.group = f"7 tags of {name}"
    benchmark(SEVEN_TAGS[who], str(inputs.corpus.real(name)))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("read", [values_ours, values_pydicom])
def test_every_value(benchmark, read, name):
    benchmark.group = f"values of {name}"
    benchmark(read, str(inputs.corpus.real(name)))


@pytest.mark.parametrize("defined", [True, False], ids=["defined", "undefined"])
def test_scan(benchmark, defined):
    data = inputs.segmentation(1200, defined=defined)
    benchmark.group = "scan of a 1200-frame SEG"
    rows = benchmark(dc.scan, data)
    assert len(rows) > 1200 * inputs.ROWS_A_FRAME


def test_scan_of_a_file(benchmark):
    benchmark.group = "scan of a 1200-frame SEG"
    with on_disk(inputs.segmentation(1200)) as path:
        benchmark(dc.scan, path)


@pytest.mark.parametrize("walk", [walk_ours, walk_pydicom])
def test_walk(benchmark, walk):
    benchmark.group = "iterall() of a 120-frame SEG"
    benchmark(walk, inputs.segmentation(120))


@pytest.mark.parametrize("read", [contours_ours, contours_numpy])
@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_contours(benchmark, read, long):
    benchmark.group = f"{60_000} DS values, {'16' if long else 'few'} characters each"
    benchmark(read, inputs.structure_set(long=long, contours=100))
