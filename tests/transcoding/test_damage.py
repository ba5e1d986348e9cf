"""Truncated sources: transcode refuses them, or writes the remaining data and reports the missing bytes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.archive.organizing.transcoding import transcode_folder
from dicomcore.cli.program import main
from dicomcore.uids import NAMES, UID
from tests.support.corpus import real
from tests.transcoding.test_transcode import LOSSLESS, LOSSY, made, ramp, through

FRAMES = np.stack([ramp((9, 11), 1, 4000 + i, "u2") for i in range(3)])
ENCODED = [name for name in LOSSLESS if UID(NAMES[name]).is_encapsulated]
REWRITTEN = ("implicit", "explicit", "big-endian", "deflated")


def short(array, missing, *, bits_stored=None, **values):
    ds = made(array, bits_stored, **values)
    ds.PixelData = bytes(ds.PixelData)[:-missing]
    return ds


SHORT = {  # name: (array, Bits Stored, bytes that are missing, the frame at fault)
    "grey": (FRAMES[0], 12, 40, 0),
    "one sample": (FRAMES[0], 12, 2, 0),
    "signed": (ramp((9, 11), -2000, 2000, "i2"), 12, 40, 0),
    "8 bits": (ramp((9, 11), 1, 255, "u1"), None, 7, 0),
    "colour": (ramp((9, 11, 3), 1, 255, "u1"), None, 41, 0),
    "last of frames": (FRAMES, 12, 40, 2),
}


# -- native pixel data that is too short


@pytest.mark.parametrize("to", [*ENCODED, *LOSSY])
@pytest.mark.parametrize("name", SHORT)
def test_short_pixel_data_is_refused(name, to, tmp_path):
    array, stored, missing, frame = SHORT[name]
    path = tmp_path / "short.dcm"
    short(array, missing, bits_stored=stored).save_as(path)
    target = tmp_path / "target.dcm"
    target.write_bytes(b"old")
    for verify in (False, True):
        with pytest.raises(dc.DicomError) as caught:
            dc.transcode(path, target, to, verify=verify)
        if isinstance(caught.value, dc.EncodeError):  # that syntax can't hold such samples at all
            assert " holds " in str(caught.value)
            return
        assert isinstance(caught.value, dc.PixelDecodeError)
        assert (caught.value.frame, caught.value.path) == (frame, str(path))
        assert f"the last {missing} bytes are missing" in str(caught.value)
    assert target.read_bytes() == b"old"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["short.dcm", "target.dcm"]


@pytest.mark.parametrize("to", ["explicit", "implicit", "big-endian", "deflated"])
def test_chosen_frames_are_refused_too(to):
    source = short(FRAMES, 40, bits_stored=12)
    with pytest.raises(dc.PixelDecodeError, match="frame 2: the last 40 bytes are missing"):
        through(source, to, frames=[0, 2])
    got, done = through(source, to, frames=[1, 0], verify=True)  # these frames are complete
    assert np.array_equal(got.pixel_array, FRAMES[[1, 0]])
    assert done.damage == ()


@pytest.mark.parametrize("to", ENCODED)
@pytest.mark.parametrize("name", SHORT)
def test_short_pixel_data_is_kept(name, to):
    array, stored, missing, frame = SHORT[name]
    if to == "jpeg-xl" and name == "signed":
        pytest.skip("JPEG XL has no signed samples")
    got, done = through(short(array, missing, bits_stored=stored), to, damaged="keep", verify=True)
    filled = np.frombuffer(array.tobytes()[:-missing] + bytes(missing), array.dtype).reshape(array.shape)
    assert np.array_equal(got.pixel_array, filled)
    text = f"frame {frame}: the last {missing} bytes are missing"
    assert done.damage == (text,)
    assert [issue.code for issue in done.issues] == ["PIXEL_LENGTH"]
    assert got.SOPInstanceUID == done.sop_instance_uid != "1.2.3.4"
    assert got.DerivationDescription == text
    assert got.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"


def test_damaged_files_may_keep_their_instance():
    got, done = through(short(FRAMES[0], 40), "rle", damaged="keep", new_instance=False)
    assert got.SOPInstanceUID == "1.2.3.4"
    assert done.damage


@pytest.mark.parametrize("to", REWRITTEN)
def test_rewritten_pixel_data_keeps_its_short_length(to):
    source = dc.dcmread(short(FRAMES[0], 40).to_bytes())
    with pytest.raises(dc.PixelDecodeError, match="frame 0: the last 40 bytes are missing"):
        through(source, to, verify=True)
    got, done = through(source, to)
    assert done.how == "rewritten"
    assert done.damage == ("frame 0: the last 40 bytes are missing",)
    assert [issue.code for issue in done.issues] == ["PIXEL_LENGTH"]
    assert len(got.PixelData) == 2 * 99 - 40
    assert "DerivationDescription" not in got


@pytest.mark.parametrize("to", ["rle", "jpeg-lossless", "jpeg-2000", "encapsulated"])
def test_a_real_file_cut_short_is_refused_or_kept(to, tmp_path):
    with pytest.raises(dc.PixelDecodeError, match="the last 62 bytes are missing"):
        dc.transcode(real("MR_truncated.dcm"), tmp_path / "x.dcm", to, verify=True)
    got, done = through(real("MR_truncated.dcm"), to, damaged="keep")
    assert {"LENGTH_BEYOND_END", "PIXEL_LENGTH"} <= {issue.code for issue in done.issues}
    whole = dc.dcmread(real("MR_small.dcm")).pixel_array.reshape(-1)
    assert np.array_equal(got.pixel_array.reshape(-1)[:-31], whole[:-31])
    assert not got.pixel_array.reshape(-1)[-31:].any()


def test_single_bits_cut_short():
    source = made(np.ones((3, 5, 7), bool))
    source.PixelData = bytes(source.PixelData)[:-4]  # 80 of 105 bits remain
    with pytest.raises(dc.PixelDecodeError, match="frame 2: the last 4 bytes are missing"):
        through(source, "encapsulated")


# -- missing frames


@pytest.mark.parametrize("to", ["rle", "jpeg-ls", "deflated-frames"])
def test_missing_native_frames_are_refused_or_kept(to):
    source = made(FRAMES, 12)
    source.PixelData = FRAMES[:2].tobytes()
    groups = [dc.Dataset() for _ in range(3)]
    for i, group in enumerate(groups):
        group.FrameAcquisitionNumber = i
    source.PerFrameFunctionalGroupsSequence = dc.Sequence(groups)
    with pytest.raises(dc.PixelDecodeError, match="2 of 3 frames are there"):
        through(source, to)
    got, done = through(source, to, damaged="keep", verify=True)
    assert np.array_equal(got.pixel_array, FRAMES[:2])
    assert (got.NumberOfFrames, done.frames, done.damage) == (2, 2, ("2 of 3 frames are there",))
    assert [item.FrameAcquisitionNumber for item in got.PerFrameFunctionalGroupsSequence] == [0, 1]


@pytest.mark.parametrize("to", ["explicit", "jpeg-lossless", "rle"])
def test_missing_fragments_are_refused_or_kept(to):
    source, _ = through(made(FRAMES, 12), "rle", offset_table="none")
    source.NumberOfFrames = 4
    options = {"offset_table": "basic"} if to == "rle" else {}
    with pytest.raises(dc.PixelDecodeError, match="3 of 4 frames are there"):
        through(source, to, **options)
    got, done = through(source, to, damaged="keep", **options)
    assert np.array_equal(got.pixel_array, FRAMES)
    assert done.damage == ("3 of 4 frames are there",)
    assert got.get("NumberOfFrames") == 3


# -- truncated codestreams


def coded(to, table="basic", array=FRAMES):
    out = bytearray()
    dc.transcode(made(array), out, to, offset_table=table)
    return bytes(out)


@pytest.mark.parametrize("table", ["basic", "extended", "none"])
@pytest.mark.parametrize("of", ["rle", "jpeg-lossless", "encapsulated"])
def test_a_cut_codestream_that_is_decoded(of, table, tmp_path):
    path = tmp_path / "cut.dcm"
    path.write_bytes(coded(of, table)[:-30])
    with pytest.raises(dc.PixelDecodeError, match="frame 2: the last 22 bytes are missing") as caught:
        dc.transcode(path, bytearray(), "explicit")
    assert (caught.value.frame, caught.value.path) == (2, str(path))
    got, _ = through(path, "explicit", frames=[0, 1])
    assert np.array_equal(got.pixel_array, FRAMES[:2])


def test_a_cut_codestream_that_is_copied():
    whole = coded("jpeg-lossless")
    for to, options in (("jpeg-lossless-14", {}), ("jpeg-lossless", {"offset_table": "none"})):
        with pytest.raises(dc.PixelDecodeError, match="frame 2: the last 22 bytes are missing"):
            through(whole[:-30], to, **options)
        _, done = through(whole[:-30], to, damaged="keep", **options)
        assert done.how == "copied"
        assert done.damage == ("frame 2: the last 22 bytes are missing",)


def test_a_cut_codestream_in_the_same_syntax():
    """The file is copied with its truncated codestream."""
    cut = coded("rle")[:-30]
    got, done = through(cut, "rle")
    assert done.how == "rewritten"
    assert done.damage == ("frame 2: the last 22 bytes are missing",)
    assert "LENGTH_BEYOND_END" in {issue.code for issue in got.issues}
    assert bytes(got.frames.encoded(2)) == bytes(dc.dcmread(cut).frames.encoded(2))


def test_a_cut_icon_is_kept():
    icon = made(FRAMES[0])
    icon.PixelData = bytes(dc.dcmread(coded("rle", array=FRAMES[0])).PixelData)[:-30]
    source = dc.dcmread(coded("rle", array=FRAMES[0]))
    source.IconImageSequence = dc.Sequence([icon])
    got, _ = through(source, "explicit")
    assert bytes(got.IconImageSequence[0].PixelData).startswith(bytes(icon.PixelData))


def test_fragments_without_an_end():
    """Cut between two items: a codestream that is not decoded may have lost fragments."""
    whole = coded("jpeg-lossless")[:-8]
    with pytest.raises(dc.PixelDecodeError, match="lacks its sequence delimiter"):
        through(whole, "jpeg-lossless-14")
    got, done = through(whole, "explicit")  # decoded, so that it is known to be complete
    assert np.array_equal(got.pixel_array, FRAMES)
    assert done.damage == ()
    assert "MISSING_SEQUENCE_DELIMITER" in {issue.code for issue in done.issues}


@pytest.mark.parametrize("to", ["rle", "explicit", "jpeg-2000"])
def test_a_jpeg_with_a_truncated_scan(to):
    pytest.importorskip("dicomcore.pixels.coding.endings")  # detects it
    source, _ = through(made(np.random.default_rng(1).integers(0, 256, (2, 64, 64)).astype("u1")), "jpeg")
    frames = [bytes(source.frames.encoded(i)) for i in range(2)]
    frames[1] = frames[1][: len(frames[1]) // 4 * 2]
    source.PixelData = (
        b"".join(b"\xfe\xff\x00\xe0" + len(one).to_bytes(4, "little") + one for one in (b"", *frames))
        + b"\xfe\xff\xdd\xe0\0\0\0\0"
    )
    with pytest.raises(dc.PixelDecodeError, match=r"frame 1: .*breaks off"):
        through(source, to, verify=True)
    got, _ = through(source, to, frames=0)
    assert np.array_equal(got.pixel_array, source.frames[0])
    got, done = through(source, to, damaged="keep")
    assert np.array_equal(got.pixel_array, source.pixel_array)
    (text,) = done.damage
    assert text.startswith("frame 1: ")
    assert "breaks off" in got.DerivationDescription


@pytest.mark.parametrize("of", ["jpeg-2000", "htj2k"])
def test_a_jpeg_2000_codestream_without_its_end(of):
    """A byte of its last packet could be missing as well, without which the samples differ."""
    pytest.importorskip("dicomcore.pixels.coding.endings")  # detects it
    source, _ = through(made(FRAMES[0]), of)
    codestream = bytes(source.frames.encoded(0)).rstrip(b"\0")[:-2]
    source.PixelData = (
        b"".join(
            b"\xfe\xff\x00\xe0" + len(one).to_bytes(4, "little") + one
            for one in (b"", codestream + b"\0" * (len(codestream) % 2))
        )
        + b"\xfe\xff\xdd\xe0\0\0\0\0"
    )
    with pytest.raises(dc.PixelDecodeError, match=r"frame 0: .*end marker.*damaged=\"keep\""):
        through(source, "rle")
    got, done = through(source, "rle", damaged="keep")
    assert np.array_equal(got.pixel_array, source.pixel_array)
    assert "end marker" in done.damage[0]


# -- other elements


@pytest.mark.parametrize("to", ["rle", "implicit"])
def test_an_element_behind_the_pixels_is_cut(to):
    source = made(FRAMES[0], 12)
    source.add_new(0xFFFCFFFC, "OB", b"\0" * 50)
    got, done = through(source.to_bytes()[:-20], to)
    assert np.array_equal(got.pixel_array, FRAMES[0])
    (text,) = done.damage
    assert "(FFFC,FFFC)" in text
    assert "claims 50 bytes where 30 are left" in text
    assert got.SOPInstanceUID == "1.2.3.4"


# -- truncation at every place


@pytest.mark.parametrize("to", ["rle", "jpeg-lossless"])
@pytest.mark.parametrize("of", ["explicit", "deflated", "rle", "jpeg-lossless"])
def test_every_cut_is_reported(of, to):
    """Every truncation fails, or gives all frames exactly."""
    whole = coded(of, array=FRAMES[:2])
    end = dc.dcmread(whole)["PixelData"].offset or 0
    for cut in range(min(end, len(whole)) - 4 if of != "deflated" else 200, len(whole), 3):
        out = bytearray()
        try:
            dc.transcode(whole[:cut], out, to, **({"offset_table": "none"} if of == to else {}))
        except (dc.DicomError, IndexError):
            assert not out
            continue
        assert np.array_equal(dc.dcmread(bytes(out)).pixel_array, FRAMES[:2]), cut


# -- folders and the command


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    made(FRAMES[0], 12).save_as(source / "whole.dcm")
    short(FRAMES[0], 40, bits_stored=12).save_as(source / "short.dcm")
    report = dc.Dataset()
    report.update({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11", "SOPInstanceUID": "1.2.3"})
    report.PatientComments = "x" * 99
    (source / "report.dcm").write_bytes(report.to_bytes()[:-20])
    return source


def test_a_folder_reports_its_damaged_files(folder, tmp_path):
    found = {}

    def note(one):
        found[one.path] = one

    summary = transcode_folder(folder, tmp_path / "out", "rle", progress=note)
    assert (found["short.dcm"].fate, found["whole.dcm"].fate) == ("failed", "transcoded")
    assert found["short.dcm"].reason.startswith("PixelDecodeError: frame 0: the last 40 bytes are missing")
    assert found["report.dcm"].fate == "copied"
    assert "claims 100 bytes where 80 are left" in found["report.dcm"].damage[0]
    assert [one.path for one in summary.damaged] == ["report.dcm"]
    assert not (tmp_path / "out/short.dcm").exists()
    kept = transcode_folder(folder, tmp_path / "out", "rle", damaged="keep", progress=note)
    assert found["short.dcm"].fate == "transcoded"
    assert found["short.dcm"].damage == ("frame 0: the last 40 bytes are missing",)
    assert kept.record()["damaged"][1] == {"path": "short.dcm", "damage": ["frame 0: the last 40 bytes are missing"]}
    rewritten = transcode_folder(folder, tmp_path / "plain", "implicit")
    assert {one.path for one in rewritten.damaged} == {"short.dcm", "report.dcm"}


def test_the_command(folder, tmp_path, capsys):
    short_one, out = folder / "short.dcm", tmp_path / "x.dcm"
    assert main(["transcode", str(short_one), "-o", str(out), "--to", "rle"]) == 1
    said = capsys.readouterr().err
    assert said == (
        f"dicomcore transcode: {short_one}: frame 0: the last 40 bytes are missing; --damaged keep writes what is "
        "there, and says so\n"
    )
    assert not out.exists()
    assert main(["transcode", str(short_one), "-o", str(out), "--to", "rle", "--damaged", "keep", "--json"]) == 0
    told = capsys.readouterr()
    assert "written although damaged: frame 0: the last 40 bytes are missing" in told.err
    record = json.loads(told.out)
    assert record["damage"] == ["frame 0: the last 40 bytes are missing"]
    assert record["issues"][0].startswith("PIXEL_LENGTH ")


def test_the_command_on_a_folder(folder, tmp_path, capsys):
    assert main(["transcode", str(folder), "-o", str(tmp_path / "out"), "--to", "rle", "--json"]) == 1
    told = capsys.readouterr()
    assert "short.dcm: PixelDecodeError: frame 0: the last 40 bytes are missing; --damaged keep" in told.err
    assert "--damaged keep" in json.loads(told.out)["failures"][0]["reason"]
    assert main(["transcode", str(folder), "-o", str(tmp_path / "out"), "--to", "rle", "--damaged", "keep"]) == 0
    told = capsys.readouterr()
    assert "short.dcm: written although damaged: frame 0" in told.err
    assert told.out.startswith("1 copied, 1 transcoded, 1 skipped, 2 of them damaged; ")


def test_the_command_names_options_and_no_functions(folder, tmp_path, capsys):
    arguments = ["transcode", str(folder / "whole.dcm"), "-o", str(tmp_path / "x"), "--to", "MPEG2MPML"]
    assert main(arguments) == 1
    assert capsys.readouterr().err.endswith("no encoder for transfer syntax MPEG2 Main Profile / Main Level\n")


def test_an_unknown_value_of_damaged_is_refused():
    with pytest.raises(ValueError, match="damaged is 'refuse' or 'keep', not 'pad'"):
        through(made(FRAMES), "rle", damaged="pad")
