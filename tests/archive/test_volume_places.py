"""series_volume: the positions of frames, and issues for slices that are left out and values that are made up."""

from __future__ import annotations

import contextlib
import os
import socket

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicomcore as dc
from tests.support.corpus import PYDICOM
from tests.support.volume_files import DOSE, NM, encoded, enhanced, folder_of, group, image, item, ramp, sequence

pytest.importorskip("pyarrow")

from dicomcore.archive import series_volume


def codes(volume) -> list[str]:
    return [one.code for one in volume.issues]


def levels(volume) -> list:
    """The value that each slice is filled with."""
    assert (volume.array == volume.array[..., :1, :1]).all()
    return volume.array[..., 0, 0].tolist()


def read(made):
    return dc.dcmread(encoded(made))


def along_z(places):
    return [(0, 0, z) for z in places]


CLASSIC = {  # name: (attributes, levels, distance of slices in mm, codes, part of a message)
    "Spacing Between Slices": ({"SpacingBetweenSlices": 3}, [0, 1, 2, 3], 3, ["ASSUMED_POSITION"], "4 frames have one"),
    "no distance": ({}, [0], 2.5, ["NO_POSITION"], "3 of 4 frames .* the first is frame 1"),
    "a loop": ({"FrameIncrementPointer": 0x00181063, "FrameTime": 40}, [0], 2.5, ["SEVERAL_TIMES"], "4 times"),
    "offsets": ({"GridFrameOffsetVector": [0, 2, 4, 6]}, [0, 1, 2, 3], 2, [], ""),
    "offsets that fall": ({"GridFrameOffsetVector": [0, -2, -4, -6]}, [3, 2, 1, 0], 2, [], ""),
    "z coordinates": ({"GridFrameOffsetVector": [5, 7, 9, 11]}, [0, 1, 2, 3], 2, [], ""),
    "offsets from elsewhere": ({"GridFrameOffsetVector": [1, 3, 5, 7]}, [0, 1, 2, 3], 2, ["GRID_OFFSETS"], "with 1"),
    "fewer offsets": ({"GridFrameOffsetVector": [0, 2, 4]}, [0, 1, 2], 2, ["NO_POSITION"], "1 of 4 frames"),
    "more offsets": (
        {"GridFrameOffsetVector": [0, 2, 4, 6, 8]},
        [0, 1, 2, 3],
        2,
        ["ABSENT_FRAMES"],
        "without pixel data: 1,",
    ),
}


@pytest.mark.parametrize(("attributes", "wanted", "between", "said", "message"), CLASSIC.values(), ids=CLASSIC)
def test_frames_of_one_position(attributes, wanted, between, said, message):
    volume = series_volume(read(image(ramp(4), (0, 0, 5), sop_class=DOSE, **attributes)))
    assert levels(volume) == wanted
    assert codes(volume) == said
    assert volume.spacing == pytest.approx((between, 0.5, 0.25))
    if said:
        with pytest.raises(dc.DicomError, match=f"{said[0]}: .*{message}"):
            series_volume(read(image(ramp(4), (0, 0, 5), sop_class=DOSE, **attributes)), strict=True)


COSINES = {  # name: (Image Orientation (Patient), codes)
    "oblique": ([0.8, 0.6, 0, -0.6, 0.8, 0], []),
    "of two digits": ([0.71, 0.70, 0.08, -0.70, 0.71, 0.02], []),
    "60 degrees": ([1, 0, 0, 0.5, 0.8660254, 0], ["ODD_ORIENTATION"]),
    "too long": ([2, 0, 0, 0, 1, 0], ["ODD_ORIENTATION"]),
    "too short": ([1, 0, 0, 0, 0.7, 0], ["ODD_ORIENTATION"]),
}


@pytest.mark.parametrize(("orientation", "said"), COSINES.values(), ids=COSINES)
def test_cosines_without_a_right_angle_are_an_issue(orientation, said):
    normal = np.cross(orientation[:3], orientation[3:])
    normal = normal / np.linalg.norm(normal)
    made = [read(image(z, np.round(normal * z, 6), ImageOrientationPatient=orientation)) for z in range(3)]
    volume = series_volume(made)
    assert (levels(volume), codes(volume)) == ([0, 1, 2], said)
    assert volume.spacing == pytest.approx((1, 0.5, 0.25), rel=1e-4)


SCALINGS = {  # name: (attributes, the value of a stored 3, codes)
    "its own": ({"DoseGridScaling": 0.5}, 1.5, []),
    "beside a rescale": ({"DoseGridScaling": 0.5, "RescaleSlope": 7, "RescaleIntercept": 11}, 1.5, []),
    "none": ({"DoseGridScaling": None}, 3, ["DOSE_GRID_SCALING"]),
    "0": ({"DoseGridScaling": 0}, 3, ["DOSE_GRID_SCALING"]),
}


@pytest.mark.parametrize(("attributes", "value", "said"), SCALINGS.values(), ids=SCALINGS)
def test_doses_are_scaled_only_by_their_grid_scaling(attributes, value, said):
    made = image(ramp(4), sop_class=DOSE, GridFrameOffsetVector=[0, 1, 2, 3], **attributes)
    volume = series_volume(read(made))
    assert (levels(volume)[3], codes(volume)) == (value, said)


UNITS = {  # name: (attributes of all slices, of the middle one, codes)
    "HU": ({"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"}, {}, []),
    "HU by default": ({"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"}, {"RescaleType": None}, []),
    "slopes of PET": ({"RescaleSlope": 2, "RescaleIntercept": 0, "Units": "BQML"}, {"RescaleSlope": 3}, []),
    "a slice of slope 1": ({"RescaleSlope": 2, "RescaleIntercept": 0}, {"RescaleSlope": 1}, []),
    "no rescale at all": ({}, {}, []),
    "1 and none": ({"RescaleSlope": 1, "RescaleIntercept": 0}, {"RescaleSlope": None, "RescaleIntercept": None}, []),
    "a slice without": (
        {"RescaleSlope": 1, "RescaleIntercept": -1024},
        {"RescaleSlope": None, "RescaleIntercept": None},
        ["MIXED_UNITS"],
    ),
    "another Rescale Type": (
        {"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "HU"},
        {"RescaleType": "OD"},
        ["MIXED_UNITS"],
    ),
    "other Units": ({"RescaleSlope": 1, "RescaleIntercept": 0, "Units": "BQML"}, {"Units": "CNTS"}, ["MIXED_UNITS"]),
}


@pytest.mark.parametrize(("all_of_them", "middle", "said"), UNITS.values(), ids=UNITS)
def test_slices_in_other_units_are_an_issue(all_of_them, middle, said):
    slices = [image(z, (0, 0, z), **all_of_them) for z in range(3)]
    for keyword, value in middle.items():
        if value is None:
            delattr(slices[1], keyword)
        else:
            setattr(slices[1], keyword, value)
    files = [read(one) for one in slices]
    assert codes(series_volume(files)) == said
    assert codes(series_volume(files, rescale=False)) == []


def test_only_axial_planes_have_z_coordinates():
    made = image(ramp(3), (0, 0, 5), sop_class=DOSE, GridFrameOffsetVector=[5, 7, 9])
    made.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]  # sagittal
    volume = series_volume(read(made))
    assert (volume.spacing[0], codes(volume)) == (2, ["GRID_OFFSETS"])


def test_one_plane_of_a_dose_has_the_thickness_of_its_offsets():
    volume = series_volume(
        read(image(ramp(4)[:1], sop_class=DOSE, SliceThickness=None, GridFrameOffsetVector=[0, 3, 6]))
    )
    assert (volume.spacing[0], codes(volume)) == (3, ["ABSENT_FRAMES"])


def test_absolute_offsets_are_z_coordinates_whatever_the_normal_is():
    turned = image(ramp(3), (0, 0, 5), sop_class=DOSE, GridFrameOffsetVector=[5, 7, 9])
    turned.ImageOrientationPatient = [-1, 0, 0, 0, 1, 0]  # the normal is -z
    volume = series_volume(read(turned))
    assert levels(volume) == [2, 1, 0]
    assert volume.affine[:3, 3].tolist() == [0, 0, 9]


GROUPS = {  # name: (places of the functional groups, levels, codes, part of a message)
    "all": ([0, 2, 4, 6], [0, 1, 2, 3], [], ""),
    "out of order": ([6, 0, 4, 2], [1, 3, 2, 0], [], ""),
    "fewer": ([0, 2, 4], [0, 1, 2], ["NO_POSITION"], "1 of 4 frames .* the first is frame 3"),
    "one without position": ([0, None, 2, 4], [0, 2, 3], ["NO_POSITION"], "1 of 4 frames .* the first is frame 1"),
    "more": ([0, 2, 4, 6, 8, 10], [0, 1, 2, 3], ["ABSENT_FRAMES"], "without pixel data: 2, .* frame 4"),
}


@pytest.mark.parametrize(("places", "wanted", "said", "message"), GROUPS.values(), ids=GROUPS)
@pytest.mark.parametrize("stray", [False, True], ids=["", "a position in the data set too"])
def test_frames_of_functional_groups(places, wanted, said, message, stray):
    made = enhanced(ramp(4), [group(None if z is None else (0, 0, z)) for z in places])
    if stray:
        made.ImagePositionPatient = [0, 0, 99]
    volume = series_volume(read(made))
    assert levels(volume) == wanted
    assert codes(volume) == said
    if said:
        with pytest.raises(dc.DicomError, match=message):
            series_volume(read(made), strict=True)


def test_a_frame_without_own_slope_does_not_take_another_frames():
    groups = [group((0, 0, z)) for z in range(3)]
    groups[0].PixelValueTransformationSequence = sequence(RescaleSlope=10, RescaleIntercept=0, RescaleType="US")
    made = enhanced(ramp(3, 1), groups)
    assert levels(series_volume(read(made))) == [10, 2, 3]


def nuclear(between, *, frames=6, third="RECON TOMO", orientation=(1, 0, 0, 0, 1, 0), **attributes):
    detector = item(ImagePositionPatient=[-10.0, -20.0, 30.0], ImageOrientationPatient=list(orientation))
    made = image(ramp(frames), sop_class=NM, Modality="NM", ImagePositionPatient=None, ImageOrientationPatient=None)
    made.ImageType = ["ORIGINAL", "PRIMARY", third, "EMISSION"]
    made.DetectorInformationSequence = sequence()
    made.DetectorInformationSequence[0].update(detector)
    made.SpacingBetweenSlices = between
    made.FrameIncrementPointer = 0x00540080
    made.SliceVector = list(range(1, frames + 1))
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


@pytest.mark.parametrize("between", [3, -3, 0.5])
@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), (-1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1)])
def test_nuclear_medicine_is_stacked_by_the_sign_of_its_spacing(tmp_path, between, orientation):
    itk = pytest.importorskip("SimpleITK")
    path = tmp_path / "nm.dcm"
    path.write_bytes(encoded(nuclear(between, orientation=orientation)))
    volume = series_volume(path, strict=True)
    image = itk.ReadImage(str(path))
    theirs = itk.GetArrayFromImage(image)
    for number in range(6):  # SimpleITK keeps the order of frames, so that its third axis may fall
        place = np.linalg.inv(volume.affine) @ [*image.TransformIndexToPhysicalPoint((2, 1, number)), 1]
        assert np.allclose(place[1:3], (1, 2), atol=1e-6)
        assert volume.array[round(place[0])][1, 2] == theirs[number][1, 2]
    assert volume.spacing[0] == abs(between)


def test_nuclear_medicine_slices_by_their_vector():
    volume = series_volume(read(nuclear(-2, SliceVector=[1, 2, 3, 4, 6, 5])), strict=True)
    assert levels(volume) == [4, 5, 3, 2, 1, 0]
    gated = nuclear(2, third="RECON GATED TOMO", SliceVector=[1, 2, 3] * 2, TimeSlotVector=[1, 1, 1, 2, 2, 2])
    assert levels(series_volume(read(gated), times=1)) == [3, 4, 5]
    assert levels(series_volume(read(gated), times="all")) == [[0, 1, 2], [3, 4, 5]]
    assert codes(series_volume(read(gated))) == ["SEVERAL_TIMES"]
    energies = nuclear(2, SliceVector=[1, 2, 3] * 2, EnergyWindowVector=[2, 2, 2, 1, 1, 1])
    assert codes(series_volume(read(energies))) == ["MIXED_ENERGY"]
    assert levels(series_volume(read(energies))) == [3, 4, 5]
    assert levels(series_volume(read(energies), select={"EnergyWindowVector": 2}, strict=True)) == [0, 1, 2]


def test_nuclear_medicine_without_a_distance():
    thick = nuclear(None, SliceThickness=4)
    assert codes(series_volume(read(thick))) == ["ASSUMED_POSITION"]
    assert series_volume(read(thick)).spacing[0] == 4
    neither = nuclear(None, SliceThickness=None)
    assert series_volume(read(neither)).issues[0].message.endswith("the first is frame 1")
    with pytest.raises(dc.DicomError, match="no volume"):  # projections have no position
        series_volume(read(nuclear(3, third="TOMO")))


@pytest.mark.parametrize("between", [5, 0.05, 0.04, 0.02, 0.003])
def test_slices_may_have_any_distance(tmp_path, between):
    folder = folder_of(tmp_path / "near", [image(i, (0, 0, i * between)) for i in range(5)])
    volume = series_volume(folder, strict=True)
    assert levels(volume) == [0, 1, 2, 3, 4]
    assert volume.spacing[0] == pytest.approx(between)


@pytest.mark.parametrize("jitter", [0.001, 0.004])
def test_times_of_one_place_may_be_slightly_apart(jitter):
    images = [image(10 * p + t, (0, 0, p + jitter * t), InstanceNumber=10 * p + t) for p in range(4) for t in range(3)]
    volume = series_volume([read(made) for made in images], times="all")
    assert volume.array[..., 0, 0].tolist() == [[10 * p + t for p in range(4)] for t in range(3)]
    assert (volume.spacing[0], codes(volume)) == (1.0, [])


def test_slices_closer_than_pixels_are_a_stack():
    volume = series_volume([read(image(p, (0, 0, 0.004 * p))) for p in range(4)])
    assert volume.spacing[0] == pytest.approx(0.004)
    assert (volume.array[:, 0, 0].tolist(), codes(volume)) == ([0, 1, 2, 3], [])


def test_rounded_positions_are_one_place():
    places = [0, 2.5, 2.50001, 5, 7.5, 10]
    volume = series_volume([read(image(i, (0, 0, z), InstanceNumber=i)) for i, z in enumerate(places)])
    assert levels(volume) == [0, 1, 3, 4, 5]
    assert codes(volume) == ["DUPLICATE_POSITION"]


@given(
    turns=st.tuples(*[st.floats(-3, 3)] * 3),
    between=st.floats(0.003, 20),
    count=st.integers(2, 7),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_a_stack_of_any_plane_in_any_order(turns, between, count, order):
    """Each voxel is at the position that its own image states, to a hundredth of a pixel."""
    a, b, c = turns
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_y = np.array([[np.cos(c), 0, np.sin(c)], [0, 1, 0], [-np.sin(c), 0, np.cos(c)]])
    across, down, normal = (about_z @ about_x @ about_y).T
    images = []
    for i in range(count):
        made = image(i, np.round(np.array([10, -20, 30]) + i * between * normal, 8))
        made.ImageOrientationPatient = [round(float(one), 9) for one in (*across, *down)]
        images.append(made)
    order.shuffle(images)
    volume = series_volume([read(one) for one in images], strict=True)
    assert levels(volume) == list(range(count))
    for (name, _), k in zip(volume.sources, range(count), strict=True):
        own = images[int(name)]
        wanted = np.array(own.ImagePositionPatient) + 3 * 0.5 * down + 4 * 0.25 * across
        assert np.allclose((volume.affine @ (k, 3, 4, 1))[:3], wanted, atol=2.5e-3 * min(1, between))


SPACINGS = {  # name: (attributes, spacing of rows and columns, part of the message)
    "none": ({"PixelSpacing": None}, (1, 1), "no Pixel Spacing: 1 mm was made up"),
    "zero": ({"PixelSpacing": [0, 0]}, (1, 1), r"is \[0.0, 0.0\]: 1 mm was made up"),
    "negative": ({"PixelSpacing": [-0.5, 0.5]}, (1, 1), "1 mm was made up"),
    "one number": ({"PixelSpacing": [0.5]}, (1, 1), "1 mm was made up"),
    "at the detector": (
        {"PixelSpacing": None, "ImagerPixelSpacing": [0.2, 0.3]},
        (0.2, 0.3),
        "Imager Pixel Spacing, at the detector, was taken",
    ),
    "as scanned": (
        {"PixelSpacing": None, "NominalScannedPixelSpacing": [0.2, 0.3]},
        (0.2, 0.3),
        "Nominal Scanned Pixel Spacing was taken",
    ),
}


@pytest.mark.parametrize(("attributes", "wanted", "message"), SPACINGS.values(), ids=SPACINGS)
def test_a_spacing_that_is_made_up_is_an_issue(attributes, wanted, message):
    made = [read(image(i, (0, 0, i), **attributes)) for i in range(3)]
    volume = series_volume(made)
    assert volume.spacing == pytest.approx((1, *wanted))
    assert codes(volume) == ["INVENTED_SPACING"]  # once for all slices
    with pytest.raises(dc.DicomError, match=f"of 3 slices .*{message}.*; the first is 0, frame 0"):
        series_volume(made, strict=True)


def test_a_spacing_that_is_no_number_is_made_up():
    data = encoded(image(1)).replace(b"0.5\\0.25", b"NaN\\NaN ")
    assert codes(series_volume(dc.dcmread(data))) == ["INVENTED_SPACING"]


@pytest.mark.parametrize("thickness", [None, 0, -2])
def test_a_thickness_that_is_made_up_is_an_issue(thickness):
    volume = series_volume(read(image(1, SliceThickness=thickness)))
    assert codes(volume) == ["INVENTED_SPACING"]
    assert "neither Spacing Between Slices nor Slice Thickness" in volume.issues[0].message
    assert volume.spacing[0] == 1
    two = [read(image(i, (0, 0, 4 * i), SliceThickness=thickness)) for i in range(2)]
    assert series_volume(two, strict=True).spacing[0] == 4


OTHERS = {  # name: (attributes of another series, the code, the levels that are taken)
    "series": ({"SeriesInstanceUID": "1.2.3.9"}, "MIXED_SERIES", 20),  # the lower Series Number
    "study": ({"StudyInstanceUID": "1.2.9"}, "MIXED_SERIES", 20),
    "photometric": ({"PhotometricInterpretation": "MONOCHROME1"}, "MIXED_SAMPLES", 20),
    "phase": ({"ImageType": ["ORIGINAL", "PRIMARY", "P"]}, "MIXED_IMAGE_TYPE", 10),
    "derived": ({"ImageType": ["DERIVED", "PRIMARY", "A"]}, "MIXED_IMAGE_TYPE", 10),
    "component": ({"ComplexImageComponent": "PHASE"}, "MIXED_COMPONENT", 20),
    "energy": ({"KVP": 140}, "MIXED_ENERGY", 10),
    "echo": ({"EchoTime": 20}, "MIXED_ECHO", 10),
    "flip angle": ({"FlipAngle": 30}, "MIXED_FLIP_ANGLE", 10),
}
USUAL = {"ImageType": ["ORIGINAL", "PRIMARY", "M"], "KVP": 80, "EchoTime": 5, "FlipAngle": 5}


@pytest.mark.parametrize(("other", "code", "level"), OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("turn", [1, -1], ids=["", "files in another order"])
def test_another_image_of_the_same_place_is_left_out(tmp_path, other, code, level, turn):
    usual = {keyword: value for keyword, value in USUAL.items() if keyword in other}
    images = [image(10, (0, 0, z), SeriesNumber=2, InstanceNumber=z, **usual) for z in range(3)]
    images += [image(20, (0, 0, z), SeriesNumber=1, InstanceNumber=9 + z, **other) for z in range(3)]
    folder = folder_of(tmp_path / "two", images[::turn])
    volume = series_volume(folder)
    assert levels(volume) == [level] * 3
    assert codes(volume) == [code]
    assert "3 of 6 slices were left out" in volume.issues[0].message
    assert str(folder) in volume.issues[0].message
    (keyword, value), *_ = other.items()
    assert levels(series_volume(folder, select={keyword: value}, strict=True)) == [20] * 3
    with pytest.raises(dc.DicomError, match="no image has"):
        series_volume(folder, select={keyword: "nothing"})


def test_the_larger_series_is_taken(tmp_path):
    images = [image(20, (0, 0, z), SeriesInstanceUID="1.9", SeriesNumber=1) for z in range(3)]
    volume = series_volume(folder_of(tmp_path / "s", [*images, *(image(10, (0, 0, z)) for z in range(5))]))
    assert levels(volume) == [10] * 5


def test_a_file_twice_is_one_slice(tmp_path):
    images = [image(z, (0, 0, z)) for z in range(3)]
    volume = series_volume(folder_of(tmp_path / "twice", [*images, *images]))
    assert levels(volume) == [0, 1, 2]
    assert codes(volume) == ["DUPLICATE_INSTANCE"]
    made = read(images[0])
    assert codes(series_volume([made, made])) == ["DUPLICATE_INSTANCE"]


@pytest.mark.parametrize("syntax", ["rle", "jpeg-lossless", "implicit"])
def test_a_copy_in_another_transfer_syntax_is_left_out(syntax):
    images = [encoded(image(z, (0, 0, z))) for z in range(3)]
    coded = [bytearray() for _ in images]
    for one, target in zip(images, coded, strict=True):
        dc.transcode(one, target, syntax)
    volume = series_volume([dc.dcmread(bytes(one)) for one in (*images, *coded)])
    assert (levels(volume), codes(volume)) == ([0, 1, 2], ["DUPLICATE_INSTANCE"])


def test_other_pixels_of_one_instance_are_no_copies():
    """Some writers use one SOP Instance UID for all images."""
    made = [image(10 * t + z, (0, 0, z), SOPInstanceUID="1.9", InstanceNumber=9 - t) for z in range(3) for t in (0, 1)]
    volume = series_volume([read(one) for one in made])
    assert (levels(volume), codes(volume)) == ([10, 11, 12], ["SEVERAL_TIMES"])


def test_a_mosaic_is_an_issue():
    made = read(image(1, ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]))
    assert codes(series_volume(made)) == ["MOSAIC"]


KINDS = {  # name: (attributes of each of four slices, codes)
    "a localizer": (
        [{"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}] * 3 + [{"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}],
        ["MIXED_IMAGE_TYPE"],
    ),
    "magnitude and phase": (
        [{"ImageType": ["ORIGINAL", "PRIMARY", one, "ND"]} for one in "MMPP"],
        ["MIXED_IMAGE_TYPE"],
    ),
    "echoes": ([{"EchoTime": time} for time in (5, 90, 5, 90)], ["MIXED_ECHO"]),
    "energies": ([{"KVP": voltage} for voltage in (80, 140, 80, 140)], ["MIXED_ENERGY"]),
    "a part without Echo Time": ([{"EchoTime": 5}, {"EchoTime": 5}, {}, {}], ["MIXED_ECHO"]),
    "rounded": ([{"EchoTime": time, "KVP": 120} for time in (4.92, 4.9251, 4.9249, 4.919)], []),
    "what else differs": ([{"ImageType": ["ORIGINAL", "PRIMARY", "M", one], "Exposure": 1} for one in "ABCD"], []),
}


@pytest.mark.parametrize(("attributes", "said"), KINDS.values(), ids=KINDS)
def test_kinds_at_different_places_are_an_issue(attributes, said):
    made = [read(image(z, (0, 0, z), **one)) for z, one in enumerate(attributes)]
    volume = series_volume(made)
    assert (levels(volume), codes(volume)) == ([0, 1, 2, 3], said)


def test_kinds_of_frames_at_different_places_are_an_issue():
    groups = [group((0, 0, z)) for z in range(4)]
    for z, one in enumerate(groups):
        one.MREchoSequence = sequence(EffectiveEchoTime=5.0 + 85 * (z % 2))
        one.MRImageFrameTypeSequence = sequence(ComplexImageComponent="MAGNITUDE" if z < 2 else "PHASE")
    volume = series_volume(read(enhanced(ramp(4), groups)))
    assert (levels(volume), codes(volume)) == ([0, 1, 2, 3], ["MIXED_IMAGE_TYPE", "MIXED_ECHO"])


def test_segments_do_not_mix():
    groups = [group((0, 0, frame % 3)) for frame in range(6)]
    for frame, one in enumerate(groups):
        one.SegmentIdentificationSequence = sequence(ReferencedSegmentNumber=1 + frame // 3)
    made = read(enhanced(ramp(6), groups))
    assert (levels(series_volume(made)), codes(series_volume(made))) == ([0, 1, 2], ["MIXED_SEGMENT"])
    assert levels(series_volume(made, select={"ReferencedSegmentNumber": 2}, strict=True)) == [3, 4, 5]


def test_segments_on_other_planes_do_not_mix_either():
    groups = [group((0, 0, frame)) for frame in range(5)]
    for frame, one in enumerate(groups):
        one.SegmentIdentificationSequence = sequence(ReferencedSegmentNumber=1 + (frame > 2))
    made = enhanced(ramp(5), groups)
    made.SegmentSequence = sequence(SegmentNumber=1)
    volume = series_volume(read(made))
    assert (levels(volume), codes(volume)) == ([0, 1, 2], ["MIXED_SEGMENT"])
    assert levels(series_volume(read(made), select={"ReferencedSegmentNumber": 2}, strict=True)) == [3, 4]


def test_stacks_side_by_side_are_refused():
    beside = [read(image(z, (x, 0, z))) for x in (0, 40) for z in range(3)]
    with pytest.raises(dc.DicomError, match="side by side, 40 mm apart"):
        series_volume(beside)


def test_stacks_side_by_side_with_stack_ids_are_separated():
    groups = [group((40 * (frame // 3), 0, frame % 3), StackID="ab"[frame // 3]) for frame in range(6)]
    made = read(enhanced(ramp(6), groups))
    assert (levels(series_volume(made)), codes(series_volume(made))) == ([0, 1, 2], ["MIXED_STACK"])
    assert levels(series_volume(made, select={"StackID": "b"}, strict=True)) == [3, 4, 5]


TURNED = [0.8, 0.6, 0, -0.36, 0.48, -0.8]
FAR = {
    "apart": [(0, 0, -1e308), (0, 0, 1e308)],
    "a gap beyond counting": [(0, 0, 0), (0, 0, 1e-12), (0, 0, 1e300)],
    "beyond adding up": [(1e308, 1e308, 1e308), (-1e308, 0, 0), (0, 0, 0)],
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("positions", FAR.values(), ids=FAR)
def test_absurd_positions_raise_only_dicom_errors(positions):
    with contextlib.suppress(dc.DicomError):
        series_volume([read(image(i, one, ImageOrientationPatient=TURNED)) for i, one in enumerate(positions)])


@pytest.mark.parametrize("attributes", [{"SpacingBetweenSlices": 1}, {"FrameIncrementPointer": 0x00181063}, {}])
def test_a_claimed_number_of_frames_costs_nothing(attributes):
    volume = series_volume(read(image(ramp(3), NumberOfFrames=9_000_000, **attributes)))
    assert codes(volume)[-1] in ("FRAMES", "PIXEL_LENGTH")
    with pytest.raises(dc.LimitError, match=r"0: .*frames cross the limit"):
        series_volume(read(image(ramp(3), NumberOfFrames=2**31 - 1, **attributes)))


def test_colour_among_grey_is_left_out():
    screen = image(np.zeros((4, 5, 3), np.uint8), (0, 0, 9))
    volume = series_volume([read(one) for one in [screen, *(image(z, (0, 0, z)) for z in range(3))]])
    assert (levels(volume), codes(volume)) == ([0, 1, 2], ["MIXED_SAMPLES"])


def with_others(folder):
    folder_of(folder, [image(z, (0, 0, z)) for z in range(3)])
    (folder / "README").write_text("no DICOM")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1" + bytes(200))
    return folder


def test_other_files_are_skipped_on_request(tmp_path):
    folder = with_others(tmp_path / "series")
    with pytest.raises(dc.InvalidDicomError, match="DS_Store"):
        series_volume(folder)
    volume = series_volume(folder, errors="skip")
    assert (levels(volume), codes(volume)) == ([0, 1, 2], ["NOT_DICOM"])
    assert "2 files, the first is " in volume.issues[0].message
    assert ".DS_Store" in volume.issues[0].message
    (folder / "empty.dcm").write_bytes(b"")
    assert codes(series_volume([folder, tmp_path / "nowhere"], errors="skip")) == ["UNREADABLE", "NOT_DICOM"]
    with pytest.raises(dc.DicomError, match="UNREADABLE"):
        series_volume(folder, errors="skip", strict=True)
    with pytest.raises(ValueError, match="errors is"):
        series_volume(folder, errors="yield")


def test_a_damaged_slice(tmp_path):
    data = (PYDICOM / "test_files" / "MR_small_RLE.dcm").read_bytes()
    (tmp_path / "rle").mkdir()
    for z in range(4):
        made = dc.dcmread(data)
        made.ImagePositionPatient = [0, 0, z]
        made.SOPInstanceUID = f"1.2.{z}"
        written = made.to_bytes()
        if z == 2:
            written = written[:-2000] + bytes(2000)
        (tmp_path / "rle" / f"{z}.dcm").write_bytes(written)
    with pytest.raises(dc.PixelDecodeError, match=r"2\.dcm, frame 0"):
        series_volume(tmp_path / "rle")
    volume = series_volume(tmp_path / "rle", errors="skip")
    assert codes(volume) == ["UNREADABLE", "MISSING_SLICES"]
    assert [os.path.basename(path) for path, _ in volume.sources] == ["0.dcm", "1.dcm", "3.dcm"]


def test_issues_of_frames_are_issues_of_the_volume(tmp_path):
    images = [image(z, (0, 0, z)) for z in range(3)]
    images[1].PixelData = images[1].PixelData[:-10]
    folder = folder_of(tmp_path / "short", images)
    volume = series_volume(folder)
    assert codes(volume) == ["PIXEL_LENGTH"]
    assert "001.dcm" in volume.issues[0].message
    with pytest.raises(dc.DicomError, match="PIXEL_LENGTH"):
        series_volume(folder, strict=True)


@pytest.mark.skipif(os.name == "nt", reason="no such files")
def test_pipes_and_sockets_are_passed_over(tmp_path):
    folder = folder_of(tmp_path / "series", [image(z, (0, 0, z)) for z in range(3)])
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(folder / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(folder / "s"))
    volume = series_volume(folder)
    listener.close()
    assert (levels(volume), codes(volume)) == ([0, 1, 2], ["NOT_A_FILE"])
    assert "passed over as pipes, sockets or devices: 3," in volume.issues[0].message
    for sources in (folder / "pipe", [folder / "link"]):
        with pytest.raises(OSError, match="is a pipe"):
            series_volume(sources)


def test_an_error_names_the_file_of_whatever_kind_it_is(tmp_path):
    path = tmp_path / "unknown.dcm"
    path.write_bytes(encoded(image(1)).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.99"))
    with pytest.raises(dc.DicomError, match=r"unknown\.dcm"):
        series_volume(path)


def test_an_image_without_pixels_raises_an_error_with_its_name(tmp_path):
    path = tmp_path / "none.dcm"
    path.write_bytes(encoded(image(1, PixelData=None)))
    with pytest.raises(dc.PixelDecodeError, match=r"none\.dcm: the data set has no pixel data"):
        series_volume(path)
    with pytest.raises(dc.DicomError, match=r"no volume .*none\.dcm"):
        series_volume(path, errors="skip")
    folder_of(tmp_path, [image(z, (0, 0, z)) for z in range(1, 4)])
    volume = series_volume(tmp_path, errors="skip")
    assert (levels(volume), codes(volume)) == ([1, 2, 3], ["UNREADABLE"])
