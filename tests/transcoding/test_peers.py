"""Transcoded files, read by DCMTK, GDCM and pydicom with pylibjpeg; dciodvfy finds no new errors."""

import shutil
import subprocess
from collections import Counter

import numpy as np
import pydicom
import pytest
from pydicom.pixels import pixel_array

import dicomcore as dc
from dicomcore.transcoding.source import Prepared
from tests.support.corpus import ABSENT, real, small_files
from tests.transcoding.test_transcode import IMAGES, made

LOSSLESS = {  # name: (commands that write it uncompressed, pydicom's plugins)
    "explicit": ((), ("",)),
    "implicit": ((), ("",)),
    "big-endian": ((), ("",)),
    "rle": ((("dcmdrle",), ("gdcmconv", "--raw")), ("pydicom", "pylibjpeg")),
    "jpeg-lossless": ((("dcmdjpeg", "+cn"), ("gdcmconv", "--raw")), ("pylibjpeg",)),
    "jpeg-lossless-14": ((("dcmdjpeg", "+cn"),), ("pylibjpeg",)),
    "jpeg-ls": ((("dcmdjpls",), ("gdcmconv", "--raw")), ("pyjpegls", "pylibjpeg")),
    "jpeg-2000": ((("gdcmconv", "--raw"),), ("pylibjpeg",)),
    "htj2k": ((), ("pylibjpeg",)),
    "htj2k-rpcl": ((), ("pylibjpeg",)),
}
PLUGINS = {"pylibjpeg": "pylibjpeg", "pyjpegls": "jpeg_ls", "pydicom": "pydicom", "": "pydicom"}


def by_command(command, path, made_by):
    """The samples that a program writes uncompressed; None if it isn't installed or refuses."""
    made_by.unlink(missing_ok=True)
    if shutil.which(command[0]) is None:
        return None
    if subprocess.run([*command, path, made_by], capture_output=True, timeout=60, check=False).returncode:
        return None
    return pixel_array(pydicom.dcmread(made_by), raw=True)


def same_low_bits(one, other, stored):
    """Programs differ in the bits above Bits Stored."""
    mask = (1 << stored) - 1
    return one.shape == other.shape and np.array_equal(one.astype("i8") & mask, other.astype("i8") & mask)


def by_gdcm(described):
    """GDCM reads RLE of several wide samples differently from others, and asserts that a byte has 8 bits stored."""
    return described.stored != 7 and (described.samples_per_pixel == 1 or described.bits_allocated == 8)


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("to", LOSSLESS)
@pytest.mark.filterwarnings("ignore")
def test_peers_read_the_same_samples(to, tmp_path):
    commands, plugins = LOSSLESS[to]
    path, read = tmp_path / "made.dcm", Counter()
    for one in small_files(40_000)[::6]:
        ds = dc.dcmread(one.path, force=True)
        try:
            prepared = Prepared(ds, ds.frames, None, 0)
            wanted = np.stack([prepared.samples(i, i) for i in range(len(ds.frames))])
            done = dc.transcode(ds, path, to, durable=False)
        except dc.DicomError:
            continue
        if done.how != "encoded" or wanted.size > 200_000:
            continue
        described = prepared.description
        wanted = wanted if len(wanted) > 1 else wanted[0]
        for plugin in plugins:
            pytest.importorskip(PLUGINS[plugin])
            assert same_low_bits(pixel_array(path, decoding_plugin=plugin, raw=True), wanted, described.stored), (
                one.name
            )
            read[plugin] += 1
        for command in commands:
            if command[0] != "gdcmconv" or by_gdcm(described):
                got = by_command(command, path, tmp_path / "read.dcm")
                assert got is None or same_low_bits(got, wanted, described.stored), (one.name, command)
                read[command[0]] += got is not None
    assert all(read[plugin] > 2 for plugin in plugins)
    assert all(read[command[0]] > 2 or not shutil.which(command[0]) for command in commands), read


@pytest.mark.parametrize(("to", "command"), [("jpeg", ("dcmdjpeg", "+cn")), ("jpeg-ls-near", ("dcmdjpls",))])
@pytest.mark.parametrize("name", ["grey 8", "grey 7 of 8"])
def test_peers_read_lossy_codestreams_alike(to, command, name, tmp_path):
    array, stored, _ = IMAGES[name]
    dc.transcode(made(array, stored), tmp_path / "a.dcm", to, quality=90 if to == "jpeg" else 3)
    ours, theirs = (
        dc.dcmread(tmp_path / "a.dcm").pixel_array,
        by_command(command, tmp_path / "a.dcm", tmp_path / "b.dcm"),
    )
    if theirs is None:
        pytest.skip(f"{command[0]} is not here")
    assert np.abs(ours.astype(int) - theirs).max() <= (1 if to == "jpeg" else 0)


def errors_of(path):
    said = subprocess.run(["dciodvfy", path], capture_output=True, check=False, timeout=60)
    lines = (said.stdout + said.stderr).decode("latin-1").splitlines()
    return Counter(line for line in lines if line.startswith("Error"))


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dciodvfy is not here")
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "SC_rgb_rle.dcm", "examples_ybr_color.dcm"])
@pytest.mark.parametrize("to", ["explicit", "rle", "jpeg-lossless", "jpeg-2000", "jpeg-2000-lossy", "jpeg-ls-near"])
def test_dciodvfy_finds_no_new_error(name, to, tmp_path):
    source = real(name)
    if to == "jpeg-ls-near" and dc.dcmread(source).PixelRepresentation:
        pytest.skip("near-lossless JPEG-LS holds no signed samples")
    dc.transcode(source, tmp_path / "a.dcm", to, durable=False)
    assert not errors_of(tmp_path / "a.dcm") - errors_of(source)
