"""series_volume: several images at each place, in the order of time that they state, never in that of the files."""

from __future__ import annotations

import random
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicomcore as dc
from tests.support.volume_files import MR, encoded, enhanced, folder_of, group, image, ramp, sequence

pytest.importorskip("pyarrow")

from dicomcore.archive import series_volume

PLACES, TIMES = 3, 4


def levels(volume) -> list:
    """The value that each slice is filled with."""
    assert (volume.array == volume.array[..., :1, :1]).all()
    return volume.array[..., 0, 0].tolist()


def codes(volume) -> list[str]:
    return [one.code for one in volume.issues]


def read(made):
    return dc.dcmread(encoded(made))


WANTED = [[100 * time + place for place in range(PLACES)] for time in range(TIMES)]
CLOCKS = {  # name: the attributes of an image, by time and place
    "Temporal Position Identifier": lambda t, p: {"TemporalPositionIdentifier": t + 1},
    "Trigger Time": lambda t, p: {"TriggerTime": 33.5 * t},
    "Trigger Time that varies": lambda t, p: {"TriggerTime": 33.5 * t + p},
    "Frame Reference Time": lambda t, p: {"FrameReferenceTime": 1000 * t},
    "Acquisition Time of all": lambda t, p: {"AcquisitionDate": "20200101", "AcquisitionTime": f"1015{t:02}"},
    "Acquisition Time, place by place": lambda t, p: {
        "AcquisitionDate": "20200101",
        "AcquisitionTime": f"10{p:02}{t:02}.5",
    },
    "past midnight": lambda t, p: {
        "AcquisitionDate": "20200101" if t < 2 else "20200102",
        "AcquisitionTime": f"{(23, 23, 0, 0)[t]:02}{(50, 55, 0, 5)[t]:02}00",
    },
    "Acquisition DateTime": lambda t, p: {"AcquisitionDateTime": f"2020010110{t:02}00.000000"},
    "Content Time": lambda t, p: {"ContentDate": "20200101", "ContentTime": f"10{t:02}"},
    "Acquisition Number": lambda t, p: {"AcquisitionNumber": t},
    "b-value": lambda t, p: {"DiffusionBValue": 250.0 * t},
    "Instance Number, time by time": lambda t, p: {"InstanceNumber": t * PLACES + p},
    "Instance Number, place by place": lambda t, p: {"InstanceNumber": p * TIMES + t},
    "positions before all else": lambda t, p: {
        "TemporalPositionIdentifier": t + 1,
        "AcquisitionTime": "101500",
        "InstanceNumber": 99 - t,
    },
    "an Acquisition Time in common": lambda t, p: {"AcquisitionTime": "101500", "InstanceNumber": t},
}


def several(stated, drop=()):
    return {
        (t, p): image(100 * t + p, (0, 0, 2 * p), **stated(t, p))
        for t in range(TIMES)
        for p in range(PLACES)
        if (t, p) not in drop
    }


@pytest.mark.parametrize("stated", CLOCKS.values(), ids=CLOCKS)
@pytest.mark.parametrize("seed", range(3))
def test_attributes_distinguish_times(stated, seed):
    made = [read(one) for one in several(stated).values()]
    random.Random(seed).shuffle(made)
    volume = series_volume(made)
    assert levels(volume) == WANTED[0]
    assert codes(volume) == ["SEVERAL_TIMES"]
    assert "there are 4 times" in volume.issues[0].message
    assert "9 slices left out" in volume.issues[0].message
    assert not volume.has_times
    for time in (0, 3, -1):
        assert levels(series_volume(made, times=time, strict=True)) == WANTED[time]
    whole = series_volume(made, times="all", strict=True)
    assert levels(whole) == WANTED
    assert (whole.array.shape, whole.has_times) == ((TIMES, PLACES, 4, 5), True)
    assert np.array_equal(whole.affine, volume.affine)
    assert len(whole.sources) == TIMES * PLACES
    for number in (TIMES, -TIMES - 1):
        with pytest.raises(IndexError, match="of 4"):
            series_volume(made, times=number)


@given(seed=st.integers(0, 1 << 30), clock=st.sampled_from(sorted(CLOCKS)))
@settings(max_examples=25, deadline=None)
def test_the_order_of_files_has_no_influence(seed, clock):
    made = [read(one) for one in several(CLOCKS[clock]).values()]
    random.Random(seed).shuffle(made)
    assert levels(series_volume(made, times="all")) == WANTED


SECONDS = {
    "Trigger Time": (0, 0.0335, 0.067, 0.1005),
    "Frame Reference Time": (0, 1, 2, 3),
    "Acquisition Time of all": (0, 1, 2, 3),
    "past midnight": (0, 300, 600, 900),
    "Acquisition DateTime": (0, 60, 120, 180),
    "b-value": (),
}


@pytest.mark.parametrize(("clock", "wanted"), SECONDS.items(), ids=SECONDS)
def test_seconds_are_the_start_of_each_time(clock, wanted):
    volume = series_volume([read(one) for one in several(CLOCKS[clock]).values()], times="all")
    assert volume.seconds == pytest.approx(wanted)


@pytest.mark.parametrize("dated", [{}, {"AcquisitionDate": "20200101"}], ids=["no date", "one date"])
def test_times_of_day_past_midnight_are_the_next_days(dated):
    minutes = ("235800", "235930", "000030", "000200")
    made = several(lambda t, p: {"AcquisitionTime": minutes[t], **dated})
    volume = series_volume([read(one) for one in made.values()], times="all")
    assert (levels(volume), volume.seconds, codes(volume)) == (WANTED, (0.0, 90.0, 150.0, 240.0), ["PAST_MIDNIGHT"])


@pytest.mark.parametrize("hours", ["0800 0900 2130 2200", "0000 0800 1600 2359"])
def test_times_of_one_date_stay_in_their_order(hours):
    made = several(lambda t, p: {"AcquisitionDate": "20200101", "AcquisitionTime": hours.split()[t]})
    volume = series_volume([read(one) for one in made.values()], times="all")
    assert (levels(volume), codes(volume)) == (WANTED, [])


def test_dates_with_times_are_never_past_midnight():
    days = ("202001010005", "202001010010", "202001012350", "202001012355")
    made = several(lambda t, p: {"AcquisitionDateTime": days[t]})
    volume = series_volume([read(one) for one in made.values()], times="all")
    assert (levels(volume), codes(volume)) == (WANTED, [])


def test_dimension_index_values_tell_frames_apart():
    frames = [(p, t) for p in range(PLACES) for t in (2, 0, 1)]
    groups = [group((0, 0, 10 * p), DimensionIndexValues=[1, p + 1, t + 1]) for p, t in frames]
    made = enhanced(np.concatenate([ramp(1, 100 * t + p) for p, t in frames]), groups)
    assert levels(series_volume([read(made)], times="all")) == WANTED[:3]
    without = frames.index((1, 0))
    del groups[without], frames[without]  # the place whose first time is missing keeps its other two
    made = enhanced(np.concatenate([ramp(1, 100 * t + p) for p, t in frames]), groups)
    volume = series_volume([read(made)], times="all", fill=-1)
    assert levels(volume) == [[0, -1, 2], *WANTED[1:3]]


def test_times_all_adds_an_axis_for_a_single_time():
    made = [read(image(p, (0, 0, p))) for p in range(3)]
    assert series_volume(made, times="all").array.shape == (1, 3, 4, 5)
    assert series_volume(made, times=0, strict=True).array.shape == (3, 4, 5)
    with pytest.raises(ValueError, match="times is"):
        series_volume(made, times="first")


def test_a_time_without_a_slice_is_an_issue():
    """If an attribute numbers the times, a missing slice is an issue, and no slice of another time replaces it."""
    named = [read(one) for one in several(CLOCKS["Temporal Position Identifier"], drop={(0, 1)}).values()]
    volume = series_volume(named)
    assert levels(volume) == [0, 2]
    assert (volume.spacing[0], codes(volume)) == (4, ["UNEVEN_TIMES", "SEVERAL_TIMES"])
    assert levels(series_volume(named, times=1, strict=True)) == WANTED[1]
    with pytest.raises(dc.DicomError, match=r"time 0 has no slice at \[0.0, 0.0, 2.0\]: fill"):
        series_volume(named, times="all")
    filled = series_volume(named, times="all", fill=-1)
    assert levels(filled) == [[0, -1, 2], *WANTED[1:]]
    assert codes(filled) == ["UNEVEN_TIMES"]
    assert "another time has a slice: 1 slice" in filled.issues[0].message
    ranked = [read(one) for one in several(CLOCKS["Instance Number, time by time"], drop={(0, 1)}).values()]
    assert codes(series_volume(ranked)) == ["UNEVEN_TIMES", "SEVERAL_TIMES"]


def test_indistinguishable_images_are_refused():
    made = [read(image(v, (0, 0, z), InstanceNumber=1)) for v in (1, 2) for z in range(3)]
    with pytest.raises(dc.DicomError, match="lie at one place, and nothing tells which comes first"):
        series_volume(made)


ODD = {  # values that can't order images, so that the next attribute is used
    "several values": {"TriggerTime": [1.0, 2.0]},
    "a text": {"AcquisitionTime": "tomorrow"},
    "nothing": {"TemporalPositionIdentifier": ""},
    "a date of its own": {"AcquisitionDateTime": "2020"},
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_invalid_values_of_a_clock_are_passed_over(odd):
    made = [read(one) for one in several(lambda t, p: {"InstanceNumber": 20 - t, **(odd if t == 1 else {})}).values()]
    assert levels(series_volume(made, times="all")) == WANTED[::-1]


def test_b_values_and_directions():
    """Two directions of one b-value, and an unweighted image: three at each place, in the order they were acquired."""
    made = []
    for t, (b, direction) in enumerate([(1000.0, [1.0, 0, 0]), (0.0, None), (1000.0, [0, 1.0, 0])]):
        for p in range(PLACES):
            more = {} if direction is None else {"DiffusionGradientOrientation": direction}
            made.append(read(image(100 * t + p, (0, 0, p), DiffusionBValue=b, InstanceNumber=3 * p + t, **more)))
    random.Random(1).shuffle(made)
    volume = series_volume(made, times="all")
    assert levels(volume) == [[100 * t + p for p in range(PLACES)] for t in range(3)]
    assert levels(series_volume(made, select={"DiffusionBValue": 0}, strict=True)) == [100, 101, 102]


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [5, 1, 3, 0, 2, 4]])
def test_times_of_an_enhanced_image(order):
    """By Temporal Position Index of the frames (PS3.3 C.7.6.16.2.2)."""
    groups = [group((0, 0, frame % 3), TemporalPositionIndex=frame // 3 + 1) for frame in order]
    made = read(enhanced(ramp(6)[order], groups))
    assert levels(series_volume(made)) == [0, 1, 2]
    assert levels(series_volume(made, times="all")) == [[0, 1, 2], [3, 4, 5]]


def test_kinds_of_an_enhanced_image():
    groups = [group((0, 0, frame % 3)) for frame in range(6)]
    for frame, one in enumerate(groups):
        one.MREchoSequence = sequence(EffectiveEchoTime=(30.0, 4.9)[frame // 3])
    made = read(enhanced(ramp(6), groups))
    volume = series_volume(made)
    assert levels(volume) == [3, 4, 5]  # the shorter one
    assert codes(volume) == ["MIXED_ECHO"]
    assert "there are 4.9, 30; select={'EffectiveEchoTime': …}" in volume.issues[0].message
    assert levels(series_volume(made, select={"EffectiveEchoTime": 30}, strict=True)) == [0, 1, 2]


def test_some_duplicate_slices_are_no_times():
    made = [read(image(z, (0, 0, z), InstanceNumber=10 + z)) for z in range(6)]
    made += [read(image(99, (0, 0, z), InstanceNumber=1 if z == 2 else 50)) for z in (2, 4)]
    for turn in (1, -1):
        volume = series_volume(made[::turn])
        assert levels(volume) == [0, 1, 99, 3, 4, 5]  # the earliest of each place
        assert codes(volume) == ["DUPLICATE_POSITION"]


def test_a_cine_loop_is_one_place():
    made = read(image(ramp(4), FrameIncrementPointer=0x00181063, FrameTime=40))
    volume = series_volume(made, times="all", strict=True)
    assert levels(volume) == [[0], [1], [2], [3]]
    assert volume.seconds == pytest.approx((0, 0.04, 0.08, 0.12))


def test_equals_dcm2niix(tmp_path):
    """dcm2niix orders the volumes of a series by time as well, and gives each voxel the same place."""
    nibabel = pytest.importorskip("nibabel")
    if shutil.which("dcm2niix") is None:
        pytest.skip("dcm2niix is not installed")
    noise = np.random.default_rng(0).integers(0, 4000, (TIMES, PLACES, 8, 6)).astype(np.int16)
    images = [
        image(
            noise[t, p],
            (1, 2, 2.5 * p),
            sop_class=MR,
            Modality="MR",
            TemporalPositionIdentifier=t + 1,
            NumberOfTemporalPositions=TIMES,
            AcquisitionDate="20200101",
            AcquisitionTime=f"1000{2 * t:02}",
            InstanceNumber=1 + t * PLACES + p,
            SeriesNumber=3,
            RepetitionTime=2000,
            Manufacturer="Philips",
        )
        for t in range(TIMES)
        for p in range(PLACES)
    ]
    names = [f"{i:03}.dcm" for i in range(len(images))]
    random.Random(5).shuffle(names)
    folder = folder_of(tmp_path / "series", images, names)
    (tmp_path / "out").mkdir()
    command = ["dcm2niix", "-b", "n", "-z", "n", "-f", "theirs", "-o", str(tmp_path / "out"), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    theirs = nibabel.load(tmp_path / "out" / "theirs.nii")
    volume = series_volume(folder, times="all", strict=True)
    assert np.array_equal(volume.array, noise)
    data = np.asanyarray(theirs.dataobj)
    assert data.shape == (6, 8, PLACES, TIMES)
    for t, k, r, c in np.ndindex(volume.array.shape):
        place = volume.ras_affine @ (k, r, c, 1)
        index = np.rint(np.linalg.inv(theirs.affine) @ place)[:3].astype(int)
        assert data[(*index, t)] == volume.array[t, k, r, c]
    assert theirs.header.get_zooms()[3] == pytest.approx(volume.seconds[1])
