"""The registry: known codecs, missing libraries, codecs of other packages."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from dicomcore import pixels
from dicomcore.errors import PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels import FrameDescription, decode_frame

PRIVATE = "1.2.3.4.5.6.7"


def test_an_unknown_syntax_is_named():
    with pytest.raises(UnsupportedTransferSyntaxError, match=r"1\.2\.3.*register"):
        pixels.decoder_for("1.2.3")


@pytest.mark.thread_unsafe(reason="registers a codec")
def test_a_missing_library_is_named_with_its_install_command():
    pixels.register(PRIVATE, lambda *_: None, name="nothing", requires="no_such_module")
    with pytest.raises(UnsupportedTransferSyntaxError, match="pip install no_such_module"):
        pixels.decoder_for(PRIVATE)


@pytest.mark.thread_unsafe(reason="registers a codec")
def test_third_party_codec():
    def invert(codestream, desc, out):
        return 255 - np.frombuffer(codestream, np.uint8).reshape(desc.shape)

    pixels.register(PRIVATE, invert, name="inverter")
    desc = FrameDescription(rows=1, columns=3, bits_allocated=8, transfer_syntax=PRIVATE)
    assert decode_frame(b"\x00\x01\xff", desc).samples.tolist() == [[255, 254, 0]]
    out = np.zeros((1, 3), np.uint8)
    assert decode_frame(b"\x00\x01\xff", desc, out=out).samples is out
    assert out.tolist() == [[255, 254, 0]]
    with pytest.raises(PixelDecodeError, match="inverter") as caught:
        decode_frame(b"\x00", desc, frame=4)
    assert caught.value.frame == 4


def test_every_syntax_has_a_codec():
    known = {codec.uid for codec in pixels.codecs()}
    ends = [
        "50",
        "51",
        "53",
        "55",
        "57",
        "70",
        "80",
        "81",
        "90",
        "91",
        "92",
        "93",
        "110",
        "111",
        "112",
        "201",
        "202",
        "203",
    ]
    wanted = {f"1.2.840.10008.1.2.4.{end}" for end in ends}
    wanted |= {f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".1.98", ".1.99", ".2", ".5", ".8.1")}
    assert wanted <= known


def test_imagecodecs_is_imported_when_needed_and_named_when_absent():
    script = """
        import sys
        import dicomcore.pixels as pixels
        assert "imagecodecs" not in sys.modules
        sys.modules["imagecodecs"] = None
        import importlib.util
        importlib.util.find_spec = lambda name: None
        pixels.coding.registry.find_spec = importlib.util.find_spec
        pixels.decoder_for("1.2.840.10008.1.2.5")
        try:
            pixels.decoder_for("1.2.840.10008.1.2.4.90")
        except Exception as error:
            print(type(error).__name__, error)
    """
    said = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("UnsupportedTransferSyntaxError")
    assert "pip install imagecodecs" in said.stdout


def test_the_docs_table_is_the_registrys():
    script = Path(__file__).resolve().parents[2] / "tools" / "transfer_syntaxes.py"
    code = f"import runpy; made = runpy.run_path({str(script)!r}); print(made['page'](), end='')"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == (script.parents[1] / "docs" / "transfer-syntaxes.md").read_text(encoding="utf-8")


@pytest.mark.thread_unsafe(reason="registers a codec")
def test_registered_by_name():
    before = pixels.codec_for("1.2.840.10008.1.2.5")
    assert pixels.register("rle", before.decoder, name="other") is before
    try:
        assert pixels.codec_for("1.2.840.10008.1.2.5").name == "other"
    finally:
        pixels.register("RLELossless", before.decoder, name=before.name, trusted=before.trusted)
    assert pixels.encoder_for("jpeg-ls").uid == "1.2.840.10008.1.2.4.80"
    with pytest.raises(ValueError, match="no transfer syntax"):
        pixels.register("gif", before.decoder, name="other")
