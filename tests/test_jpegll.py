"""JPEG lossless against the corpus, against codestreams made by hand, and there and back."""

from __future__ import annotations

import pixel_corpus as corpus
import pytest

from dicomcore.codecs import jpeg_lossless_decode, jpeg_lossless_decode_components, jpeg_lossless_info

JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")


@pytest.mark.parametrize("line", corpus.with_pixels(*JPEG_LOSSLESS))
def test_corpus_frames_are_as_other_decoders_read_them(line):
    for codestream, expected in corpus.codestreams(line):
        assert corpus.sha256(jpeg_lossless_decode(codestream)) == expected


T83 = [line for line in corpus.lines() if line["kind"] == "codestream" and "/p14/" in line["path"]]


@pytest.mark.skipif(not T83, reason="the corpus is absent")
@pytest.mark.parametrize("line", T83, ids=lambda line: line["path"][-6:])
def test_t83_conformance_streams(line):
    codestream = corpus.path_of(line).read_bytes()
    parts = jpeg_lossless_decode_components(codestream)
    info = jpeg_lossless_info(codestream)
    for part, told, answer in zip(parts, info.components, line["pixels"]["components"], strict=True):
        assert told == (answer["id"], answer["rows"], answer["columns"])
        assert corpus.sha256(part) == answer["sha256"]
    whole = jpeg_lossless_decode(codestream)
    assert whole.shape == (257, 255, 4)
    down, across = (-(-257 // part.shape[0]) for part in parts), (-(-255 // part.shape[1]) for part in parts)
    for k, (part, v, h) in enumerate(zip(parts, down, across, strict=True)):
        spread = part.repeat(v, 0).repeat(h, 1)
        if spread.shape[0] >= 257 and spread.shape[1] >= 255:
            assert (whole[:, :, k] == spread[:257, :255]).all()
