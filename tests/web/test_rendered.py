"""Rendered resources and thumbnails, compared with `frames.render`; the URI service."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from dicomcore import dcmread, deid, display, new_uid
from dicomcore.display import icc
from tests.web.calling import FILES, PYDICOM, Caller, calling, parts_of, place_of

Image = pytest.importorskip("PIL.Image")
IMAGES = [name for name in FILES if "PixelData" in dcmread(FILES[name])]


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def reference(name: str, number: int = 1, **options: object) -> np.ndarray:
    return dcmread(FILES[name]).frames.render(number - 1, **options)


@pytest.mark.parametrize("name", IMAGES)
def test_a_frame_is_what_render_gives(caller: Caller, name: str) -> None:
    place = f"{place_of(FILES[name])}/frames/1/rendered"
    answer = caller.get(place, "image/png")
    assert answer.headers["content-type"] == "image/png"
    assert (decoded(answer.content) == reference(name)).all()
    jpeg = caller.get(place)
    assert jpeg.headers["content-type"] == "image/jpeg"
    assert np.abs(decoded(jpeg.content).astype(int) - reference(name)).mean() < 6


def test_formats(caller: Caller) -> None:
    place = f"{place_of(FILES['CT_small.dcm'])}/rendered"
    for media, kind in (("image/jpeg", "JPEG"), ("image/png", "PNG"), ("image/gif", "GIF"), ("image/jp2", "JPEG2000")):
        answer = caller.get(place, media)
        assert answer.headers["content-type"] == media
        assert Image.open(io.BytesIO(answer.content)).format == kind
    assert caller.get(place, "text/html").status_code == 406
    assert caller.get(f"{place}?accept=image/png").headers["content-type"] == "image/png"


def test_windows_and_viewports(caller: Caller) -> None:
    name = "CT_small.dcm"
    place = f"{place_of(FILES[name])}/rendered"
    windowed = decoded(caller.get(f"{place}?window=40,400,linear", "image/png").content)
    assert (windowed == reference(name, window=(40.0, 400.0))).all()
    sigmoid = display.Window(40.0, 400.0, "SIGMOID")
    assert (decoded(caller.get(f"{place}?window=40,400,sigmoid", "image/png").content)
            == reference(name, window=sigmoid)).all()  # fmt: skip
    whole = reference(name)
    assert whole.shape == (128, 128)
    small = decoded(caller.get(f"{place}?viewport=64,100", "image/png").content)
    assert small.shape == (64, 64)
    assert np.abs(small.astype(float) - whole.reshape(64, 2, 64, 2).mean(axis=(1, 3))).mean() < 8
    assert decoded(caller.get(f"{place}?viewport=256,512", "image/png").content).shape == (256, 256)
    cut = decoded(caller.get(f"{place}?viewport=32,32,10,20,32,32", "image/png").content)
    assert (cut == whole[20:52, 10:42]).all()
    flipped = decoded(caller.get(f"{place}?viewport=32,32,10,20,-32,-32", "image/png").content)
    assert (flipped == whole[20:52, 10:42][::-1, ::-1]).all()
    assert decoded(caller.get(f"{place}?viewport=64,64,,,64,64", "image/png").content).shape == (64, 64)


def test_quality(caller: Caller) -> None:
    place = f"{place_of(FILES['CT_small.dcm'])}/rendered"
    sizes = [len(caller.get(f"{place}?quality={quality}").content) for quality in (5, 50, 100)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 4


WRONG = (
    "window=1", "window=1,2", "window=a,2,linear", "window=1,0,linear", "window=1,2,cubic", "window=nan,2,linear",
    "viewport=1", "viewport=0,5", "viewport=a,b", "viewport=99999,1", "viewport=1,1,1,1,0,1",
    "viewport=9,9,500,500,1,1", "viewport=1,2,3,4,5,6,7", "quality=0", "quality=101", "quality=", "quality=1&quality=2",
    "annotation=",
    "annotation=a b", "iccprofile=cmyk", "iccprofile=", "window=1e400,1,linear",
)  # fmt: skip


@pytest.mark.parametrize("query", WRONG)
def test_parameters_that_are_wrong(caller: Caller, query: str) -> None:
    answer = caller.get(f"{place_of(FILES['CT_small.dcm'])}/rendered?{query}")
    assert answer.status_code == 400, answer.text[:200]


def test_annotations(caller: Caller) -> None:
    place = f"{place_of(FILES['CT_small.dcm'])}/rendered"
    plain = decoded(caller.get(place, "image/png").content)
    marked = caller.get(f"{place}?annotation=patient,technique", "image/png")
    assert (decoded(marked.content) != plain).any()
    unknown = caller.get(f"{place}?annotation=mood", "image/png")
    assert "mood" in unknown.headers["warning"]
    assert (decoded(unknown.content) == plain).all()


def test_profiles(caller: Caller) -> None:
    place = f"{place_of(FILES['CT_small.dcm'])}/rendered"
    for media in ("image/jpeg", "image/png"):
        with_profile = Image.open(io.BytesIO(caller.get(f"{place}?iccprofile=yes", media).content))
        assert b"acsp" in with_profile.info["icc_profile"]
        assert "icc_profile" not in Image.open(io.BytesIO(caller.get(f"{place}?iccprofile=no", media).content)).info
    assert caller.get(f"{place}?iccprofile=yes", "image/gif").status_code == 400


SPACES = ("srgb", "adobergb", "rommrgb", "displayp3")


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", ["CT_small.dcm", "examples_rgb_color.dcm"])
def test_colour_spaces(tmp_path: Path, name: str, space: str) -> None:
    """Colours, and grey values as colours, are in the space whose profile is embedded."""
    file = next(PYDICOM.rglob(name))
    plain = dcmread(file).frames.render(0)
    rgb = plain if plain.ndim == 3 else np.repeat(plain[..., None], 3, axis=2)
    with calling(tmp_path) as (caller, _):
        assert caller.store([file]).status_code == 200
        image = Image.open(io.BytesIO(caller.get(f"{place_of(file)}/rendered?iccprofile={space}", "image/png").content))
        assert caller.get(f"{place_of(file)}/rendered?iccprofile={space}", "image/jp2").status_code == 400
    assert image.mode == "RGB"
    assert (np.asarray(image) == icc.managed(rgb, "srgb", space, [])).all()
    back = icc.managed(np.asarray(image), image.info["icc_profile"], "srgb", [])
    assert np.abs(back.astype(int) - rgb).max() <= 6
    assert np.abs(back.astype(int) - rgb).mean() < 1


def test_a_damaged_profile_is_not_sent(tmp_path: Path) -> None:
    ds = dcmread(next(PYDICOM.rglob("examples_rgb_color.dcm")))
    ds.ICCProfile = b"no profile at all"
    file = tmp_path / "damaged.dcm"
    ds.save_as(file)
    with calling(tmp_path / "store") as (caller, _):
        assert caller.store([file]).status_code == 200
        answer = caller.get(f"{place_of(file)}/rendered?iccprofile=yes", "image/png")
    assert b"acsp" in Image.open(io.BytesIO(answer.content)).info["icc_profile"]


def test_reports_and_documents(caller: Caller, tmp_path: object) -> None:
    place = f"{place_of(FILES['test-SR.dcm'])}/rendered"
    page = caller.get(place)
    assert page.headers["content-type"].startswith("text/html")
    assert "script" not in page.headers["content-security-policy"]
    assert "sandbox" in page.headers["content-security-policy"]
    assert caller.get(place, "text/plain").headers["content-type"].startswith("text/plain")
    assert caller.get(place, "image/jpeg").status_code == 406
    assert caller.get(f"{place_of(FILES['rtplan.dcm'])}/rendered").status_code == 406


def test_documents_and_markup(tmp_path: object) -> None:
    from dicomcore.objects import encapsulate

    with calling(tmp_path) as (caller, _):  # type: ignore[arg-type]
        pdf = encapsulate(b"%PDF-1.4 \n%%EOF", kind="pdf")
        report = dcmread(FILES["test-SR.dcm"])
        report.PatientName = "<script>alert(1)</script>"
        report.SOPInstanceUID = "1.2.3.4"
        (tmp_path / "a.dcm").write_bytes(pdf.to_bytes())  # type: ignore[operator]
        assert caller.store([pdf.to_bytes(), report.to_bytes()]).status_code == 200
        answer = caller.get(f"{place_of(tmp_path / 'a.dcm')}/rendered")  # type: ignore[operator]
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-1.4")
        page = caller.get(
            f"/studies/{report.StudyInstanceUID}/series/{report.SeriesInstanceUID}/instances/1.2.3.4/rendered"
        )
        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text


def test_several(caller: Caller) -> None:
    name = "emri_small.dcm"
    if name not in FILES:
        pytest.skip(f"{name} is not here")
    place = place_of(FILES[name])
    count = len(dcmread(FILES[name]).frames)
    parts = parts_of(caller.get(f"{place}/rendered"))
    assert len(parts) == count
    assert {media for media, _ in parts} == {"image/jpeg"}
    single = caller.get(f"{place}/rendered", "image/png")
    assert (decoded(single.content) == reference(name)).all()
    moving = Image.open(io.BytesIO(caller.get(f"{place}/rendered", "image/gif").content))
    assert moving.n_frames > 1
    two = parts_of(caller.get(f"{place}/frames/2,3/rendered", 'multipart/related; type="image/png"'))
    assert [(decoded(data) == reference(name, number)).all() for (_, data), number in zip(two, (2, 3), strict=True)]
    study = parts_of(caller.get(place.partition("/series")[0] + "/rendered"))
    assert len(study) >= count
    assert caller.get(f"{place}/frames/{count + 1}/rendered").status_code == 404


@pytest.mark.parametrize("name", FILES)
def test_every_instance_has_a_thumbnail(caller: Caller, name: str) -> None:
    place = place_of(FILES[name])
    answer = caller.get(f"{place}/thumbnail?viewport=40,40")
    assert answer.status_code == 200, answer.text
    picture = decoded(answer.content)
    assert max(picture.shape[:2]) == 40
    assert caller.get(f"{place.partition('/series')[0]}/thumbnail").status_code == 200


def test_thumbnails_have_a_viewport_without_a_region(caller: Caller) -> None:
    place = place_of(FILES["CT_small.dcm"])
    assert caller.get(f"{place}/thumbnail?viewport=40,40,1,1,2,2").status_code == 400
    assert caller.get(f"{place}/frames/1/thumbnail").status_code == 200
    assert caller.get(f"{place}/thumbnail", "text/html").status_code == 406


def by_uri(name: str, more: str = "", root: str = "/") -> str:
    ds = dcmread(FILES[name])
    uids = f"studyUID={ds.StudyInstanceUID}&seriesUID={ds.SeriesInstanceUID}&objectUID={ds.SOPInstanceUID}"
    return f"{root}?requestType=WADO&{uids}{more}"


@pytest.mark.parametrize("root", ["/", "/wado"])
def test_the_uri_service(caller: Caller, root: str) -> None:
    name = "CT_small.dcm"
    stored = caller.get(by_uri(name, "&contentType=application/dicom", root))
    assert stored.content == FILES[name].read_bytes()
    assert stored.headers["content-type"] == "application/dicom"
    assert caller.get(by_uri(name, "", root)).headers["content-type"] == "image/jpeg"
    shown = caller.get(by_uri(name, "&contentType=image/png&windowCenter=40&windowWidth=400&frameNumber=1", root))
    assert (decoded(shown.content) == reference(name, window=(40.0, 400.0))).all()
    part = caller.get(by_uri(name, "&contentType=image/png&region=0,0,0.5,0.25", root))
    assert (decoded(part.content) == reference(name)[:32, :64]).all()
    assert decoded(caller.get(by_uri(name, "&contentType=image/png&rows=32", root)).content).shape == (32, 32)


def test_presentation_states(tmp_path: Path) -> None:
    from tests.display.states import state_of

    ct = FILES["CT_small.dcm"]
    image = dcmread(ct)
    state = state_of(image, PresentationLUTShape="INVERSE")
    state.StudyInstanceUID, state.SeriesInstanceUID = image.StudyInstanceUID, new_uid()
    shown = display.render(image, state)
    with calling(tmp_path) as (caller, _):
        stored = caller.store([ct, state.to_bytes(transfer_syntax="explicit")])
        assert stored.status_code == 200, stored.text
        place = f"/studies/{state.StudyInstanceUID}/series/{state.SeriesInstanceUID}/instances/{state.SOPInstanceUID}"
        answer = caller.get(f"{place}/rendered", "image/png")
        assert answer.status_code == 200, answer.text
        assert (decoded(answer.content) == shown).all()
        assert caller.get(f"{place}/rendered?viewport=64,64", "image/png").status_code == 200
        assert caller.get(f"{place}/rendered?window=1,2,linear", "image/png").status_code == 400
        by_state = f"&contentType=image/png&presentationUID={state.SOPInstanceUID}"
        assert (decoded(caller.get(by_uri("CT_small.dcm", by_state)).content) == shown).all()
        assert caller.get(f"{place}/thumbnail").status_code == 200
        half = decoded(caller.get(by_uri("CT_small.dcm", f"{by_state}&region=0,0,0.5,0.25")).content)
        assert (half == shown[:32, :64]).all()
        windowed = f"{by_state}&windowCenter=1&windowWidth=2"
        assert caller.get(by_uri("CT_small.dcm", windowed)).status_code == 400
        assert caller.get(by_uri("CT_small.dcm", f"{by_state}&frameNumber=2")).status_code == 404
        marked = caller.get(f"{place}/rendered?annotation=patient", "image/png")
        assert (decoded(marked.content) != shown).any()
        assert (
            b"acsp"
            in Image.open(io.BytesIO(caller.get(f"{place}/rendered?iccprofile=yes", "image/png").content)).info[
                "icc_profile"
            ]
        )
        assert caller.get(f"{place}/frames/1/rendered", "image/png").status_code == 404
        caller.ask("DELETE", place_of(ct))
    with calling(tmp_path / "alone") as (caller, _):
        assert caller.store([state.to_bytes(transfer_syntax="explicit")]).status_code == 200
        assert caller.get(f"{place}/rendered", "image/png").status_code == 404


URI_WRONG = {
    "/?requestType=WADO": 400, "/?requestType=X": 400, "/?requestType=WADO&studyUID=1&seriesUID=2&objectUID=3": 404,
}  # fmt: skip


@pytest.mark.parametrize(("path", "status"), URI_WRONG.items(), ids=URI_WRONG)
def test_the_uri_service_refuses(caller: Caller, path: str, status: int) -> None:
    assert caller.get(path).status_code == status


@pytest.mark.parametrize(("more", "status"), [
    ("&presentationUID=1.2", 404),
    ("&anonymize=yes&contentType=application/dicom", 501), ("&anonymize=yes", 400),
    ("&anonymize=no&contentType=application/dicom", 400),
    ("&windowCenter=1", 400), ("&region=0,0,2,1", 400), ("&imageQuality=0", 400),
    ("&frameNumber=9", 404), ("&contentType=application/dicom&transferSyntax=1.2.3", 406),
    ("&contentType=text/html", 406),
])  # fmt: skip
def test_the_uri_service_and_its_parameters(caller: Caller, more: str, status: int) -> None:
    assert caller.get(by_uri("CT_small.dcm", more)).status_code == status


@pytest.mark.parametrize("name", ["CT_small.dcm", "JPEG2000.dcm", "rtplan.dcm", "image_dfl.dcm", "test-SR.dcm"])
def test_anonymized(tmp_path: Path, name: str) -> None:
    plan = deid.Plan(key=deid.Key(bytes(32)))
    path = "&anonymize=yes&contentType=application/dicom"
    with calling(tmp_path, deidentify=lambda ds: deid.deidentify(ds, plan)) as (caller, _):
        assert caller.store([FILES[name]]).status_code == 200
        answer = caller.get(by_uri(name, path))
        assert answer.status_code == 200
        made, source = dcmread(answer.content), dcmread(FILES[name], force=True)
        assert made.PatientIdentityRemoved == "YES"
        assert str(source.PatientName) not in str(made)
        assert made.SOPInstanceUID != source.SOPInstanceUID
        assert made.to_json() == deid.deidentify(dcmread(FILES[name], force=True), plan).to_json()
        explicit = caller.get(by_uri(name, path + "&transferSyntax=1.2.840.10008.1.2.1"))
        assert dcmread(explicit.content).transfer_syntax == "1.2.840.10008.1.2.1"
