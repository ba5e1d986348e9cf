"""The viewer's page in a headless Chromium: studies of our server listed, images shown, nothing of a value executed.

What is shown is compared with what `Frames.render` gives. With cornerstone3D the browser decodes what the server has;
its bundle is built here by npm for the long test, or taken from DICOMCORE_VIEWER_BUNDLE.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dicomcore import catalogue, dcmread, web
from tests.web.browser import CHROMIUM, Page, browser
from tests.web.calling import FILES
from tests.web.serving import serving
from tests.web.test_client_retrieve import uids

SOURCES = Path(__file__).resolve().parents[2] / "tools" / "viewer"
HOSTILE = "<img src=x onerror=alert(1)>^<script>alert(2)</script>"
SHOWN = ("CT_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "examples_ybr_color.dcm", "SC_rgb_small_odd.dcm")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium: the viewer is not tried")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page without a bundle."""
    made = tmp_path_factory.mktemp("viewer") / "page"
    shutil.copytree(web.viewer_folder(), made, ignore=shutil.ignore_patterns("bundle"))
    return made


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[str]:
    hostile = dcmread(FILES["CT_small.dcm"])
    hostile.validation = "ignore"
    hostile.PatientName, hostile.PatientID, hostile.StudyDescription = HOSTILE, "HOSTILE", HOSTILE[:60]
    hostile.StudyInstanceUID, hostile.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    hostile.SOPInstanceUID = hostile.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1.1"
    with (
        catalogue.open(tmp_path_factory.mktemp("store")) as held,
        serving(web.app(held, viewer=folder)) as made,
    ):
        with web.Client(made) as client:
            assert client.store([*FILES.values(), hostile])
        yield made


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as made:
        yield made


def opened(page: Page, url: str, name: str) -> Any:
    """The picture that the page shows of a file, as an array of grey."""
    study, series, _ = uids(FILES[name])
    page.open("about:blank")
    page.problems.clear()
    page.open(f"{url}/#study={study}&series={series}")
    page.wait_for("document.getElementById('stage')?.dataset.state === 'shown'")
    return np.asarray(Image.open(io.BytesIO(page.picture("#stage"))).convert("L"), float)


def alike(shown: Any, name: str) -> float:
    """The correlation of what is shown with what is rendered, fitted into the same frame."""
    made = dcmread(FILES[name]).frames.render(0)
    height, width = shown.shape
    scale = min(width / made.shape[1], height / made.shape[0])
    size = (round(made.shape[1] * scale), round(made.shape[0] * scale))
    fitted = np.asarray(Image.fromarray(made).convert("L").resize(size, Image.Resampling.BILINEAR), float)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    part = shown[top : top + size[1], left : left + size[0]]
    outside = shown.sum() - part.sum()
    assert outside < 0.02 * max(shown.sum(), 1)
    return float(np.corrcoef(part.ravel(), fitted.ravel())[0, 1])


@pytest.mark.parametrize("name", [name for name in SHOWN if name in FILES])
def test_images_are_shown_as_the_server_renders_them(page, url, name):
    assert alike(opened(page, url, name), name) > 0.98


def test_values_are_text_and_nothing_else(page, url):
    page.open("about:blank")
    page.problems.clear()
    page.open(url + "/")
    page.wait_for("document.querySelectorAll('#studies tbody tr').length > 5")
    assert HOSTILE in page.run("document.querySelector('#studies tbody').innerText")
    assert page.run("document.querySelectorAll('#studies tbody img, #studies tbody script').length") == 0
    assert page.problems == []


def test_a_search_by_name(page, url):
    page.open(url + "/")
    page.wait_for("document.querySelectorAll('#studies tbody tr').length > 5")
    page.run("document.getElementById('name').value = 'compressedsamples^ct*', 1")
    page.run("document.getElementById('search').requestSubmit(), 1")
    page.wait_for("document.querySelectorAll('#studies tbody tr').length === 1")
    page.run("document.querySelector('#studies tbody tr').click(), 1")
    page.wait_for("document.getElementById('stage').dataset.state === 'shown'")
    assert page.run("document.getElementById('caption').innerText") == "1 of 1"


def test_many_frames(page, url):
    opened(page, url, "examples_ybr_color.dcm")
    assert page.run("document.getElementById('caption').innerText") == "1 of 30"
    page.run("document.getElementById('position').value = 7")
    page.run("document.getElementById('position').oninput(), 1")
    page.wait_for("document.getElementById('stage').dataset.state === 'shown'")
    assert page.run("document.getElementById('caption').innerText") == "8 of 30"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """cornerstone3D, built."""
    given = os.environ.get("DICOMCORE_VIEWER_BUNDLE")
    if given:
        return Path(given)
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm: cornerstone3D is not built")
    work = tmp_path_factory.mktemp("build")
    for path in SOURCES.iterdir():
        if path.is_file():
            shutil.copy(path, work)
    for command in ([npm, "ci", "--no-audit", "--no-fund"], [npm, "run", "build"]):
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=280)
        if done.returncode:
            pytest.skip(f"{' '.join(command[1:])} failed: {done.stderr[-300:]}")
    return work / "bundle"


@pytest.mark.long
@pytest.mark.timeout(900)
def test_cornerstone_decodes_what_the_server_has(page, tmp_path, folder, bundle):
    shutil.copytree(folder, tmp_path / "page")
    shutil.copytree(bundle, tmp_path / "page" / "bundle")
    with catalogue.open(tmp_path / "store") as held, serving(web.app(held, viewer=tmp_path / "page")) as url:
        with web.Client(url) as client:
            client.store(FILES.values())
        for name in (name for name in SHOWN if name in FILES):
            likeness = alike(opened(page, url, name), name)
            assert likeness > 0.95, name
            assert page.problems == [], name
            assert page.run("document.querySelectorAll('#stage canvas').length") == 1
