"""Slides: tiles and regions against the pictures that the tiles were cut from."""

from __future__ import annotations

import threading
from io import BytesIO

import numpy as np
import pytest

from dicomcore import dcmread
from dicomcore.dataset.building import build
from dicomcore.display.icc import KNOWN, matrix_profile
from dicomcore.errors import LimitError, ParseError, PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.objects import Slide
from tests.support.slides import optical_path, picture, slide_data_set, tiles_of_picture, write_pyramid, write_slide

ROWS, COLUMNS, TILE = 150, 230, (64, 48)  # neither side is a multiple of a tile's


def _pictures(count: int) -> list[np.ndarray]:
    return [picture(ROWS, COLUMNS, seed) for seed in range(count)]


def _positions(order, *, z=None, paths=None):
    """Functional groups of frames at these tiles of a grid."""
    across = -(-COLUMNS // TILE[1])
    groups = []
    for place, number in enumerate(order):
        position = {
            "RowPositionInTotalImagePixelMatrix": number // across * TILE[0] + 1,
            "ColumnPositionInTotalImagePixelMatrix": number % across * TILE[1] + 1,
            "XOffsetInSlideCoordinateSystem": 0.0,
            "YOffsetInSlideCoordinateSystem": 0.0,
            "ZOffsetInSlideCoordinateSystem": 0.0 if z is None else z[place],
        }
        group = {"PlanePositionSlideSequence": [position]}
        if paths is not None:
            group["OpticalPathIdentificationSequence"] = [{"OpticalPathIdentifier": paths[place]}]
        groups.append(group)
    return groups


def _full(folder, pixels):
    data_set = slide_data_set(ROWS, COLUMNS, TILE)
    write_slide(folder / "a", tiles_of_picture(pixels, TILE), data_set)


def _sparse(folder, pixels):
    tiles = tiles_of_picture(pixels, TILE)
    order = np.random.default_rng(1).permutation(len(tiles)).tolist()
    data_set = slide_data_set(
        ROWS,
        COLUMNS,
        TILE,
        DimensionOrganizationType="TILED_SPARSE",
        PerFrameFunctionalGroupsSequence=_positions(order),
    )
    write_slide(folder / "a", [tiles[number] for number in order], data_set)


def _unlabelled(folder, pixels):
    data_set = slide_data_set(ROWS, COLUMNS, TILE)
    del data_set.DimensionOrganizationType
    write_slide(folder / "a", tiles_of_picture(pixels, TILE), data_set)


def _concatenation(folder, pixels):
    tiles = tiles_of_picture(pixels, TILE)
    for number, first in enumerate(range(0, len(tiles), 4), 1):
        data_set = slide_data_set(
            ROWS,
            COLUMNS,
            TILE,
            ConcatenationUID="1.2.3",
            InConcatenationNumber=number,
            ConcatenationFrameOffsetNumber=first,
        )
        write_slide(folder / f"{9 - number}", tiles[first : first + 4], data_set)


def _jpeg_2000(folder, pixels):
    data_set = slide_data_set(ROWS, COLUMNS, TILE)
    write_slide(folder / "a", tiles_of_picture(pixels, TILE), data_set, transfer_syntax="jpeg-2000")


def _rle(folder, pixels):
    data_set = slide_data_set(ROWS, COLUMNS, TILE)
    write_slide(folder / "a", tiles_of_picture(pixels, TILE), data_set, transfer_syntax="rle")


TILINGS = {
    "full": _full,
    "sparse, in any order": _sparse,
    "neither full nor with positions": _unlabelled,
    "concatenation, its files in another order": _concatenation,
    "JPEG 2000": _jpeg_2000,
    "RLE": _rle,
}
REGIONS = {  # name: (x, y, width, height)
    "whole": (0, 0, COLUMNS, ROWS),
    "one pixel": (47, 63, 1, 1),
    "inside a tile": (50, 70, 20, 30),
    "over edges of tiles": (30, 40, 120, 100),
    "last pixels": (COLUMNS - 5, ROWS - 7, 5, 7),
}


@pytest.mark.parametrize("write", TILINGS.values(), ids=TILINGS)
def test_regions_are_those_of_the_picture(tmp_path, write):
    (pixels,) = _pictures(1)
    write(tmp_path, pixels)
    slide = Slide(tmp_path)
    for x, y, width, height in REGIONS.values():
        for workers in (1, 3):
            region = slide.region(x, y, width, height, workers=workers)
            np.testing.assert_array_equal(region, pixels[y : y + height, x : x + width])
    expected = ["TILE_POSITION"] if write is _unlabelled else []
    assert [issue.code for issue in slide.issues] == expected


@pytest.mark.parametrize("interpretation", ["YBR_FULL_422", "RGB"])
def test_jpeg_gives_the_pixels_of_its_frames(tmp_path, interpretation):
    pytest.importorskip("imagecodecs")
    (pixels,) = _pictures(1)
    data_set = slide_data_set(ROWS, COLUMNS, TILE, PhotometricInterpretation="RGB")
    write_slide(tmp_path / "a", tiles_of_picture(pixels, TILE), data_set, transfer_syntax="jpeg", quality=90)
    image = dcmread(tmp_path / "a")
    image.PhotometricInterpretation = interpretation  # the codestream's own marks decide
    slide = Slide(image)
    frames = dcmread(tmp_path / "a").frames
    across = -(-COLUMNS // TILE[1])
    whole = np.concatenate(
        [np.concatenate([frames[i] for i in range(row, row + across)], axis=1) for row in range(0, len(frames), across)]
    )[:ROWS, :COLUMNS]
    assert np.abs(whole.astype(int) - pixels).mean() < 4
    for x, y, width, height in REGIONS.values():
        np.testing.assert_array_equal(slide.region(x, y, width, height), whole[y : y + height, x : x + width])
    np.testing.assert_array_equal(slide.region(-3, -5, 90, 90)[5:, 3:], whole[:85, :87])


def test_past_the_matrix_is_background(tmp_path):
    (pixels,) = _pictures(1)
    _full(tmp_path, pixels)  # its last tiles extend past the matrix, in black
    region = Slide(tmp_path).region(-10, -20, COLUMNS + 30, ROWS + 60)
    np.testing.assert_array_equal(region[20 : 20 + ROWS, 10 : 10 + COLUMNS], pixels)
    region[20 : 20 + ROWS, 10 : 10 + COLUMNS] = 255
    assert region.min() == 255


@pytest.mark.parametrize(
    ("attributes", "colour"),
    [({}, 255), ({"RecommendedAbsentPixelCIELabValue": [0, 32896, 32896]}, 0)],
    ids=["white", "as recommended"],
)
def test_missing_tiles_are_background(tmp_path, attributes, colour):
    (pixels,) = _pictures(1)
    tiles = tiles_of_picture(pixels, TILE)
    data_set = slide_data_set(
        ROWS,
        COLUMNS,
        TILE,
        DimensionOrganizationType="TILED_SPARSE",
        PerFrameFunctionalGroupsSequence=_positions([0, 6]),
        OpticalPathSequence=[optical_path("1", **attributes)],
    )
    write_slide(tmp_path / "a", [tiles[0], tiles[6]], data_set)
    slide = Slide(tmp_path)
    region = slide.region(0, 0, COLUMNS, ROWS)
    known = np.zeros((ROWS, COLUMNS), bool)
    known[:64, :48] = known[64:128, 48:96] = True
    np.testing.assert_array_equal(region[known], pixels[known])
    assert (region[~known] == colour).all()
    np.testing.assert_array_equal(slide.tile(1, 1), tiles[6])
    assert (slide.tile(0, 1) == colour).all()


def test_where_tiles_overlap_the_lower_right_one_counts(tmp_path):
    tiles = [np.full((*TILE, 3), value, np.uint8) for value in (10, 20, 30)]
    groups = _positions([0, 0, 0])
    for group, (row, column) in zip(groups, [(1, 1), (41, 1), (1, 31)], strict=True):
        position = group["PlanePositionSlideSequence"][0]
        position |= {
            "RowPositionInTotalImagePixelMatrix": row,
            "ColumnPositionInTotalImagePixelMatrix": column,
        }
    data_set = slide_data_set(
        ROWS, COLUMNS, TILE, DimensionOrganizationType="TILED_SPARSE", PerFrameFunctionalGroupsSequence=groups
    )
    write_slide(tmp_path / "a", tiles, data_set)
    for _ in range(5):
        region = Slide(tmp_path).region(0, 0, 100, 110, workers=3)[..., 0]
        assert [region[0, 0], region[0, 29], region[0, 30], region[39, 0], region[40, 0]] == [10, 10, 30, 10, 20]
        assert region[45, 35] == 20  # rows decide before columns
        assert region[109, 99] == 255


def test_optical_paths_and_focal_planes_of_one_full_tiling(tmp_path):
    pictures = _pictures(6)
    tiles = [tile for pixels in pictures for tile in tiles_of_picture(pixels, TILE)]
    measures = {"PixelMeasuresSequence": [{"PixelSpacing": [0.001, 0.001], "SpacingBetweenSlices": 0.002}]}
    data_set = slide_data_set(
        ROWS,
        COLUMNS,
        TILE,
        TotalPixelMatrixFocalPlanes=3,
        NumberOfOpticalPaths=2,
        OpticalPathSequence=[optical_path("DAPI"), optical_path("FITC")],
        SharedFunctionalGroupsSequence=[measures],
    )
    write_slide(tmp_path / "a", tiles, data_set)
    slide = Slide(tmp_path)
    assert slide.optical_paths == ("DAPI", "FITC")
    assert slide.focal_planes == (0.0, 2.0, 4.0)
    for path, name in enumerate(slide.optical_paths):
        for focal in range(3):
            expected = pictures[path * 3 + focal][10:90, 20:110]
            np.testing.assert_array_equal(slide.region(20, 10, 90, 80, path=name, focal=focal), expected)
            np.testing.assert_array_equal(slide.region(20, 10, 90, 80, path=path, focal=focal), expected)
    np.testing.assert_array_equal(slide.region(0, 0, 9, 9), pictures[1][:9, :9])  # first path, middle plane
    with pytest.raises(ValueError, match="no optical path 'Cy5', but 'DAPI', 'FITC'"):
        slide.region(0, 0, 9, 9, path="Cy5")
    with pytest.raises(IndexError, match="focal plane 3 of 3"):
        slide.tile(0, 0, focal=3)
    with pytest.raises(IndexError, match="optical path 2 of 2"):
        slide.region(0, 0, 9, 9, path=2)


def test_optical_paths_and_focal_planes_of_frames_and_of_images(tmp_path):
    pictures = _pictures(4)
    several = [tiles_of_picture(pixels, TILE) for pixels in pictures]
    count = len(several[0])
    paths, order = ["A", "B"] * count, np.repeat(np.arange(count), 2).tolist()
    for image, z in enumerate((5.0, 1.5)):  # µm
        data_set = slide_data_set(
            ROWS,
            COLUMNS,
            TILE,
            DimensionOrganizationType="TILED_SPARSE",
            OpticalPathSequence=[optical_path("A"), optical_path("B")],
            PerFrameFunctionalGroupsSequence=_positions(order, z=[z] * len(order), paths=paths),
        )
        pair = several[2 * image : 2 * image + 2]
        write_slide(tmp_path / str(image), [tile for both in zip(*pair, strict=True) for tile in both], data_set)
    slide = Slide(tmp_path)
    assert slide.focal_planes == (1.5, 5.0)
    for number, (focal, path) in enumerate([(1, "A"), (1, "B"), (0, "A"), (0, "B")]):
        region = slide.region(0, 0, COLUMNS, ROWS, path=path, focal=focal)
        np.testing.assert_array_equal(region, pictures[number])


def test_grey_slides_of_16_bits(tmp_path):
    pixels = (picture(ROWS, COLUMNS)[..., 0].astype(np.uint16) * 200)[:, :]
    data_set = slide_data_set(
        ROWS,
        COLUMNS,
        TILE,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
    )
    del data_set.PlanarConfiguration
    write_slide(tmp_path / "a", tiles_of_picture(pixels, TILE), data_set)
    region = Slide(tmp_path).region(0, 0, COLUMNS + 5, ROWS)
    np.testing.assert_array_equal(region[:, :COLUMNS], pixels)
    assert region.dtype == np.uint16
    assert not region[:, COLUMNS:].any()


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pyramid")
    pictures = write_pyramid(folder, picture(700, 900), 128, 3)
    for flavour, size in (("LABEL", (40, 60)), ("OVERVIEW", (50, 120)), ("THUMBNAIL", (70, 90))):
        data_set = slide_data_set(*size, size, flavour=flavour)
        write_slide(folder / flavour, [picture(*size)], data_set)
    (folder / "notes.txt").write_text("no DICOM")
    return folder, pictures


def test_levels_are_ordered_and_found(pyramid):
    folder, pictures = pyramid
    slide = Slide(folder)
    assert [level.shape for level in slide.levels] == [(700, 900), (350, 450), (175, 225)]
    assert [level.spacing for level in slide.levels] == [(0.0005, 0.0005), (0.001, 0.001), (0.002, 0.002)]
    assert [slide.level_for(factor) for factor in (0.5, 1, 1.9, 2, 3.9, 4, 100)] == [0, 0, 0, 1, 1, 2, 2]
    for level, pixels in enumerate(pictures):
        np.testing.assert_array_equal(slide.region(0, 0, *pixels.shape[1::-1], level), pixels)
        np.testing.assert_array_equal(slide.tile(1, 1, level)[:40, :40], pixels[128:168, 128:168])
    assert repr(slide) == "<Slide of 700 × 900 pixels, 3 levels>"


def test_label_overview_and_thumbnail(pyramid):
    slide = Slide(pyramid[0])
    np.testing.assert_array_equal(slide.label(), picture(40, 60))
    np.testing.assert_array_equal(slide.overview(), picture(50, 120))
    small = slide.thumbnail(200)
    assert small.shape == (156, 200, 3)
    assert abs(small.mean() - pyramid[1][0].mean()) < 2
    assert slide.thumbnail(225).shape == (175, 225, 3)
    levels_alone = Slide([pyramid[0] / f"level{number}.dcm" for number in range(3)])
    assert levels_alone.label() is None


def test_millimetres_are_the_same_at_every_level(pyramid):
    folder, pictures = pyramid
    slide = Slide(folder)
    for level, pixels in enumerate(pictures):
        step = 2**level
        region = slide.region(0.1, 0.05, 0.12, 0.08, level, units="mm")
        y, x = 100 // step, 200 // step
        np.testing.assert_array_equal(region, pixels[y : y + 160 // step, x : x + 240 // step])


def test_positions_in_the_slide_coordinate_system(pyramid):
    slide = Slide(pyramid[0])
    # rows run towards -y and columns towards -x of the slide, from its origin at (20, 40) mm
    assert slide.position(0, 0) == (20, 40)
    assert slide.position(100, 0) == pytest.approx((20, 40 - 0.05))
    assert slide.position(0, 100, level=1) == pytest.approx((20 - 0.1, 40))


def test_a_level_with_another_origin_is_shifted(tmp_path):
    pixels = picture(400, 400)
    write_slide(tmp_path / "0", tiles_of_picture(pixels, (128, 128)), slide_data_set(400, 400, (128, 128), mm=0.001))
    # the second level begins 40 rows and 80 columns into the first: further along -x and -y of the slide
    origin = {"XOffsetInSlideCoordinateSystem": 20 - 0.040, "YOffsetInSlideCoordinateSystem": 40 - 0.080}
    half = pixels[40:, 80:][::2, ::2]
    data_set = slide_data_set(*half.shape[:2], (128, 128), mm=0.002, TotalPixelMatrixOriginSequence=[origin])
    write_slide(tmp_path / "1", tiles_of_picture(half, (128, 128)), data_set)
    slide = Slide(tmp_path)
    assert slide.levels[1].offset == pytest.approx((0.04, 0.08))
    small = slide.region(0.1, 0.06, 0.05, 0.04, 1, units="mm")
    np.testing.assert_array_equal(small, pixels[60:100:2, 100:150:2])
    assert slide.position(0, 0, 1) == pytest.approx((20 - 0.04, 40 - 0.08))


WRONG_REGIONS = {  # name: (arguments, options, error, message)
    "no width": ((0, 0, 0, 5), {}, ValueError, "1 pixel at least"),
    "negative": ((0, 0, 5, -5), {}, ValueError, "1 pixel at least"),
    "half pixels": ((0.5, 0, 5, 5), {}, ValueError, "whole numbers"),
    "not finite": ((float("nan"), 0, 5, 5), {}, ValueError, "finite"),
    "units": ((0, 0, 5, 5), {"units": "inch"}, ValueError, "'pixel' or 'mm', not 'inch'"),
    "level": ((0, 0, 5, 5, 3), {}, IndexError, "level 3 of 3"),
    "huge": ((0, 0, 1 << 15, 1 << 15), {}, LimitError, "32768 × 32768 pixels crosses the limit"),
}


@pytest.mark.parametrize(("arguments", "options", "error", "message"), WRONG_REGIONS.values(), ids=WRONG_REGIONS)
def test_wrong_regions_are_refused(pyramid, arguments, options, error, message):
    with pytest.raises(error, match=message):
        Slide(pyramid[0]).region(*arguments, **options)


@pytest.mark.parametrize("place", [(-1, 0), (0, 8), (6, 0)])
def test_tiles_outside_the_matrix_are_refused(pyramid, place):
    with pytest.raises(IndexError, match="of 6 × 8"):
        Slide(pyramid[0]).tile(*place)


def test_several_slides_or_none_are_refused(tmp_path, pyramid):
    (pixels,) = _pictures(1)
    with pytest.raises(ParseError, match="no whole slide image"):
        Slide(tmp_path)
    for name in "ab":
        data_set = slide_data_set(ROWS, COLUMNS, TILE, ContainerIdentifier=name)
        write_slide(tmp_path / name, tiles_of_picture(pixels, TILE), data_set)
    with pytest.raises(ParseError, match="of 2 slides: their ContainerIdentifier is a, b"):
        Slide(tmp_path)
    with pytest.raises(ParseError, match="not a whole slide image"):
        Slide(build({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}))


def test_a_damaged_tile_raises_naming_its_frame(tmp_path):
    (pixels,) = _pictures(1)
    _rle(tmp_path, pixels)
    data = bytearray((tmp_path / "a").read_bytes())
    frames = dcmread(tmp_path / "a").frames
    start = data.find(bytes(frames.encoded(3)))
    data[start : start + 64] = b"\xff" * 64
    (tmp_path / "a").write_bytes(data)
    slide = Slide(tmp_path)
    np.testing.assert_array_equal(slide.tile(0, 0), pixels[: TILE[0], : TILE[1]])
    with pytest.raises(PixelDecodeError, match="frame 3"):
        slide.region(0, 0, COLUMNS, ROWS)


LIES = {  # name: (attributes, message or issue)
    "a huge matrix": ({"TotalPixelMatrixColumns": 0xFFFFFFFF, "TotalPixelMatrixRows": 0xFFFFFFFF}, "TILE_COUNT"),
    "too small a matrix": ({"TotalPixelMatrixColumns": 48, "TotalPixelMatrixRows": 64}, "TILE_COUNT"),
    "focal planes": ({"TotalPixelMatrixFocalPlanes": 0xFFFFFFFF}, "TILE_COUNT"),
    "optical paths": ({"OpticalPathSequence": [optical_path(str(i)) for i in range(50)]}, "TILE_COUNT"),
    "frame offset": ({"ConcatenationFrameOffsetNumber": 0xFFFFFFF0, "ConcatenationUID": "1.2"}, "TILE_COUNT"),
}


@pytest.mark.parametrize(("attributes", "code"), LIES.values(), ids=LIES)
def test_tilings_that_lie_are_issues(tmp_path, attributes, code):
    (pixels,) = _pictures(1)
    write_slide(tmp_path / "a", tiles_of_picture(pixels, TILE), slide_data_set(ROWS, COLUMNS, TILE, **attributes))
    slide = Slide(tmp_path)
    assert slide.region(0, 0, 60, 60).shape == (60, 60, 3)
    assert code in [issue.code for issue in slide.issues]


def test_positions_that_lie_are_issues(tmp_path):
    tiles = tiles_of_picture(_pictures(1)[0], TILE)[:4]
    groups = _positions([0, 1, 2, 3])
    places = [group["PlanePositionSlideSequence"][0] for group in groups]
    places[1]["RowPositionInTotalImagePixelMatrix"] = -(2**31)
    places[2]["ColumnPositionInTotalImagePixelMatrix"] = 2**31 - 1
    del groups[3]["PlanePositionSlideSequence"]
    data_set = slide_data_set(
        ROWS, COLUMNS, TILE, DimensionOrganizationType="TILED_SPARSE", PerFrameFunctionalGroupsSequence=groups
    )
    write_slide(tmp_path / "a", tiles, data_set)
    slide = Slide(tmp_path)
    region = slide.region(0, 0, COLUMNS, ROWS)
    np.testing.assert_array_equal(region[:64, :48], tiles[0][:64, :48])
    assert (region[:, 48:] == 255).all()
    (issue,) = slide.issues
    assert "3 frames, the first of them 2, have no position in the matrix" in issue.message


def test_limits_bound_a_region(pyramid):
    slide = Slide(pyramid[0], limits=Limits(pixels=10_000))
    assert slide.region(0, 0, 100, 100).shape == (100, 100, 3)
    with pytest.raises(LimitError, match="limit of 10000"):
        slide.region(0, 0, 101, 100)


def test_threads_share_a_slide(pyramid):
    folder, pictures = pyramid
    slide, wrong = Slide(folder), []

    def read(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(10):
            x, y = random.integers(0, 600, 2).tolist()
            region = slide.region(x, y, 90, 70, workers=2)
            if not np.array_equal(region, pictures[0][y : y + 70, x : x + 90]):
                wrong.append((x, y))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def _with_profile(folder, profile):
    pixels = picture(ROWS, COLUMNS)
    path = optical_path("1") if profile is None else optical_path("1", ICCProfile=profile)
    data_set = slide_data_set(ROWS, COLUMNS, TILE, OpticalPathSequence=[path])
    write_slide(folder / "a", tiles_of_picture(pixels, TILE), data_set)
    return pixels, Slide(folder)


def test_colours_are_brought_into_another_space_as_by_littlecms(tmp_path):
    from PIL import Image, ImageCms

    wide = matrix_profile(*KNOWN["adobergb"])
    wide = wide[:12] + b"scnr" + wide[16:]
    pixels, slide = _with_profile(tmp_path, wide)
    source, target = ImageCms.ImageCmsProfile(BytesIO(wide)), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(source, target, "RGB", "RGB")
    expected = np.asarray(ImageCms.applyTransform(Image.fromarray(pixels), transform))
    assert np.abs(expected.astype(int) - pixels).max() > 10
    np.testing.assert_array_equal(slide.region(0, 0, COLUMNS, ROWS, profile="srgb"), expected)
    np.testing.assert_array_equal(slide.tile(1, 1, profile="srgb"), expected[64:128, 48:96])
    np.testing.assert_array_equal(slide.region(0, 0, COLUMNS, ROWS), pixels)
    np.testing.assert_array_equal(slide.region(0, 0, COLUMNS, ROWS, profile="none"), pixels)
    assert slide.notes == ()


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        (None, "no-icc-profile"),
        (b"no profile at all, but bytes of some length" * 5, "icc-profile"),
        (matrix_profile(*KNOWN["adobergb"]), "icc-class"),  # its class is that of a display
    ],
    ids=["none", "no profile", "of display class"],
)
def test_profiles_that_are_missing_or_wrong_are_noted(tmp_path, profile, code):
    pixels, slide = _with_profile(tmp_path, profile)
    region = slide.region(0, 0, COLUMNS, ROWS, profile="srgb")
    assert [note.code for note in slide.notes] == [code]
    assert np.array_equal(region, pixels) == (code != "icc-class")
    with pytest.raises(ValueError, match="'cmyk'"):
        slide.region(0, 0, 9, 9, profile="cmyk")
