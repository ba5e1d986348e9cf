"""Colour profiles: pixel by pixel what LittleCMS gives, and profiles that are none (PS3.3 C.11.15)."""

from __future__ import annotations

import io
import struct
import threading

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import display
from dicomcore.display.icc import KNOWN, converter, matrix_profile, profile_fault
from dicomcore.notes import Note
from tests.display.states import item, made, palette, state_of

ImageCms = pytest.importorskip("PIL.ImageCms")
from PIL import Image  # noqa: E402

RGB = np.random.default_rng(4).integers(0, 256, (16, 24, 3)).astype(np.uint8)
WIDE = matrix_profile(*KNOWN["adobergb"])


def as_class(kind: bytes, profile: bytes = WIDE) -> bytes:
    return profile[:12] + kind + profile[16:]


SCANNER = as_class(b"scnr")


def image(profile: bytes | None = None, **attributes: object) -> dc.Dataset:
    given = {} if profile is None else {"ICCProfile": profile}
    return made(RGB, SOPInstanceUID="2.25.61", **given, **attributes)


def by_littlecms(profile: bytes, target: object, samples: np.ndarray = RGB) -> np.ndarray:
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)), target, "RGB", "RGB", ImageCms.Intent.PERCEPTUAL
    )
    return np.asarray(ImageCms.applyTransform(Image.fromarray(samples), transform))


def srgb() -> object:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def codes(notes: list[Note]) -> set[str]:
    return {note.code for note in notes}


def test_an_input_profile_is_applied():
    notes: list[Note] = []
    picture = display.render(image(SCANNER), notes=notes)
    assert np.array_equal(picture, by_littlecms(SCANNER, srgb()))
    assert not np.array_equal(picture, RGB)
    assert codes(notes) == set()
    for nothing in (None, "none"):
        assert np.array_equal(display.render(image(SCANNER), profile=nothing), RGB)


def test_an_output_profile_is_applied():
    target = as_class(b"mntr", matrix_profile(*KNOWN["rommrgb"]))
    wanted = by_littlecms(SCANNER, ImageCms.ImageCmsProfile(io.BytesIO(target)))
    assert np.array_equal(display.render(image(SCANNER), profile=target), wanted)
    assert np.array_equal(display.render(image(SCANNER), profile="rommrgb"), wanted)


def test_without_a_profile_srgb_is_assumed_and_said():
    notes: list[Note] = []
    assert np.array_equal(display.render(image(), notes=notes), RGB)
    assert codes(notes) == {"no-icc-profile"}


def test_well_known_spaces_need_no_profile():
    notes: list[Note] = []
    assert np.array_equal(display.render(image(ColorSpace="SRGB"), notes=notes), RGB)
    assert codes(notes) == set()
    wanted = by_littlecms(WIDE, srgb())
    assert np.array_equal(display.render(image(ColorSpace="ADOBERGB")), wanted)


def test_adobe_rgb_is_what_it_is_said_to_be():
    """Full red of AdobeRGB (1998) is full red of sRGB; its green and mid grey are known too."""
    samples = np.array([[[255, 0, 0], [128, 128, 128], [255, 255, 255], [0, 0, 0]]], np.uint8)
    picture = display.render(made(samples, ColorSpace="ADOBERGB"))[0].astype(int)
    assert np.abs(picture - [[255, 0, 0], [127, 127, 127], [255, 255, 255], [0, 0, 0]]).max() <= 3


def lab_profile() -> bytes:
    return SCANNER[:20] + b"Lab " + SCANNER[24:]


UNUSABLE = {  # name: (profile, part of the note)
    "no profile": (b"not a profile at all" * 20, "no ICC profile"),
    "four bytes": (b"\0" * 4, "no ICC profile"),
    "cut off": (SCANNER[:200], "and has 200"),
    "a printer's link": (as_class(b"link"), "its class is 'link'"),
    "for grey": (SCANNER[:16] + b"GRAY" + SCANNER[20:], "colour space is 'GRAY'"),
    "for CMYK": (SCANNER[:16] + b"CMYK" + SCANNER[20:], "colour space is 'CMYK'"),
    "an odd connection space": (SCANNER[:20] + b"Luv " + SCANNER[24:], "connection space is 'Luv '"),
    "a size of 0": (struct.pack(">I", 0) + SCANNER[4:], "says 0 bytes"),
    "tags beyond its end": (SCANNER[:128] + struct.pack(">I", 9) + b"\xff" * (len(SCANNER) - 132), "LittleCMS"),
}


@pytest.mark.parametrize(("profile", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_profiles_that_cannot_be_used_are_noted(profile, message):
    notes: list[Note] = []
    assert np.array_equal(display.render(image(profile), notes=notes), RGB)
    (note,) = notes
    assert note.code == "icc-profile"
    assert message in note.message
    assert "sRGB is assumed" in note.message
    with pytest.raises(dc.ParseError, match="ICC profile"):
        converter(profile)


def test_display_profiles_are_used_and_noted():
    notes: list[Note] = []
    picture = display.render(image(as_class(b"mntr")), notes=notes)
    assert np.array_equal(picture, by_littlecms(SCANNER, srgb()))
    assert codes(notes) == {"icc-class"}


def test_the_output_must_be_a_profile():
    with pytest.raises(ValueError, match="profile of the output"):
        display.render(image(), profile=b"no profile")
    with pytest.raises(ValueError, match="'p3'"):
        display.render(image(), profile="p3")


def test_the_states_profile_precedes_the_images():
    source = image(matrix_profile(*KNOWN["rommrgb"]))
    state = state_of(source, kind="colour", ICCProfile=SCANNER)
    assert np.array_equal(display.render(source, state), by_littlecms(SCANNER, srgb()))


def test_pseudo_colours_and_palettes_pass_through_the_profile():
    ramp = np.stack([np.arange(256) * 257, np.arange(256)[::-1] * 257, np.full(256, 0x4000)], -1)
    grey = made(np.arange(256, dtype=np.uint8).reshape(16, 16))
    state = palette(state_of(grey, kind="pseudo-colour", ICCProfile=SCANNER), ramp)
    plain = display.render(grey, state, profile=None)
    assert np.array_equal(plain.reshape(256, 3), ramp.astype(int) >> 8)
    assert np.array_equal(display.render(grey, state), by_littlecms(SCANNER, srgb(), plain))
    indexed = made(np.arange(256, dtype=np.uint8).reshape(16, 16), PhotometricInterpretation="PALETTE COLOR")
    palette(indexed, ramp).ICCProfile = SCANNER
    assert np.array_equal(display.render(indexed), by_littlecms(SCANNER, srgb(), plain))


def test_grey_pictures_have_no_profile():
    grey = made(np.arange(256, dtype=np.uint8).reshape(16, 16), ICCProfile=SCANNER)
    notes: list[Note] = []
    assert np.array_equal(display.render(grey, notes=notes), grey.frames.render(0))
    assert notes == []


def test_frames_of_slides_have_their_optical_path():
    paths = [item(OpticalPathIdentifier=name, ICCProfile=profile) for name, profile in (("1", WIDE), ("2", SCANNER))]
    slide = made(np.stack([RGB, RGB]), OpticalPathSequence=paths, NumberOfFrames=2)
    groups = [item(OpticalPathIdentificationSequence=[item(OpticalPathIdentifier=name)]) for name in "12"]
    slide.PerFrameFunctionalGroupsSequence = groups
    said: list[set[str]] = []
    for frame in (0, 1):
        notes: list[Note] = []
        assert np.array_equal(display.render(slide, frame=frame, notes=notes), by_littlecms(SCANNER, srgb()))
        said.append(codes(notes))
    assert said == [{"icc-class"}, set()]


def test_converters_work_on_several_threads():
    convert = converter(SCANNER)
    wanted, results = by_littlecms(SCANNER, srgb()), []
    threads = [threading.Thread(target=lambda: results.append(convert(RGB))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all(np.array_equal(result, wanted) for result in results)


def test_profiles_that_are_right_have_no_fault():
    assert profile_fault(SCANNER) is None
    assert profile_fault(lab_profile()) is None
    assert profile_fault(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()) is None
