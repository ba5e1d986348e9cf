"""Print management: sheets of our own user, of DCMTK's, ours on DCMTK's printer, pynetdicom's, and everything wrong."""

from __future__ import annotations

import shutil
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dicomcore import Dataset, dcmread, net, services
from dicomcore.errors import NetworkError
from dicomcore.services.print_sheet import Box, Density, Lut, boxes_of, film_size, paint, pdf
from dicomcore.services.printing import (
    COLOUR_META,
    FILM_BOX,
    GREY_BOX,
    GREY_META,
    JOB,
    LUT,
    PRINTER,
    PRINTER_INSTANCE,
    SESSION,
    Sheet,
)
from tests.net.test_server import FILES, QUICK
from tests.services.test_procedure_step import data_set

GREYS = np.linspace(0, 255, 256).astype(np.uint8)[None].repeat(128, 0)


class Shop:
    def __init__(self, **options: Any) -> None:
        self.sheets: list[Sheet] = []
        self.server = net.Server(ae="PRINTER", timeouts=QUICK)
        self.printer = services.Printer(self.sheets.extend, dpi=50, **options)
        self.server.add(self.printer)


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    with made.server:
        yield made


def test_our_images_on_our_printer(shop: Shop) -> None:
    ct = next(path for path in FILES if path.name == "CT_small.dcm")
    colour = np.full((20, 30, 3), (0, 255, 0), np.uint8)
    done = services.print_images(
        shop.server.address, [ct, GREYS, colour], layout="2,1", copies=2, label="Straße", timeouts=QUICK
    )
    assert (done.sheets, len(done.jobs), done.warnings) == (2, 2, ())
    first, second = shop.sheets
    assert first.picture.shape == (850, 700)
    assert (first.copies, first.session.FilmSessionLabel) == (2, "Straße")
    left, right = boxes_of("STANDARD\\2,1", 14, 17, 50) or ()
    shown = first.picture[right.top : right.top + right.rows, right.left : right.left + right.columns]
    middle = shown[right.rows // 2]
    assert (int(middle[0]), int(middle[-1])) == (0, 255)
    assert np.all(np.diff(middle.astype(int)) >= 0)
    assert first.picture[left.top : left.top + left.rows].any()
    assert int(second.picture.max()) == 150  # green in grey


def test_colour(shop: Shop) -> None:
    red = np.zeros((10, 20, 3), np.uint8)
    red[..., 0] = 255
    done = services.print_images(
        shop.server.address, [red, GREYS], colour=True, orientation="LANDSCAPE", timeouts=QUICK
    )
    assert done.sheets == 2
    assert [sheet.picture.shape for sheet in shop.sheets] == [(700, 850, 3)] * 2
    assert shop.sheets[0].picture[350, 425].tolist() == [255, 0, 0]
    assert len({*shop.sheets[1].picture[350, 425].tolist()}) == 1


def test_the_printers_files(tmp_path: Path) -> None:
    for kind in ("png", "pdf"):
        server = net.Server(ae="PRINTER", timeouts=QUICK)
        server.add(services.Printer(services.to_folder(tmp_path / kind, kind=kind), dpi=20))
        with server:
            services.print_images(server.address, [GREYS, GREYS], timeouts=QUICK)
    assert len(list((tmp_path / "png").glob("*.png"))) == 2
    for one in (tmp_path / "pdf").glob("*.pdf"):
        assert one.read_bytes().startswith(b"%PDF-1.4")
    with pytest.raises(ValueError, match="png or pdf"):
        services.to_folder(tmp_path, kind="tiff")


def test_a_pdf_that_readers_read(tmp_path: Path) -> None:
    data = pdf([GREYS, np.repeat(GREYS[..., None], 3, 2)], 72)
    table = int(data.split(b"startxref\n")[1].split(b"\n")[0])
    places = [int(line[:10]) for line in data[table:].splitlines()[3:] if line.endswith(b" n ")]
    assert all(data[place:].startswith(b"%d 0 obj" % number) for number, place in enumerate(places, 1))
    assert data.count(b"/Type /Page ") == 2
    assert b"/MediaBox [0 0 256.00 128.00]" in data
    begin = data.index(b"stream\n", data.index(b"/DeviceGray")) + 7
    assert zlib.decompress(data[begin : data.index(b"\nendstream", begin)]) == GREYS.tobytes()
    reader = shutil.which("pdfimages")
    if reader is not None:
        (tmp_path / "one.pdf").write_bytes(data)
        told = subprocess.run(
            [reader, "-list", tmp_path / "one.pdf"], capture_output=True, text=True, timeout=60, check=True
        )
        assert told.stdout.count("256   128") == 2


# -- layout and presentation

LAYOUTS: dict[str, list[int] | None] = {
    # format: images in rows from the top, or in columns from the left
    "STANDARD\\1,1": [1],
    "STANDARD\\3,2": [3, 3],
    "ROW\\1,2,3": [1, 2, 3],
    "COL\\2,1": [2, 1],
    "STANDARD\\16,16": [16] * 16,
    "COL\\221": [221],
    "ROW\\1,255": [1, 255],
    "STANDARD\\17,16": None,
    "STANDARD\\0,1": None,
    "STANDARD\\1": None,
    "STANDARD\\-1,1": None,
    "STANDARD\\1,999999999": None,
    "STANDARD\\999999999,1": None,
    "STANDARD": None,
    "ROW\\": None,
    "ROW\\x": None,
    "SLIDE": None,
    "CUSTOM\\1": None,
    "": None,
    "\\" * 1000: None,
}


@pytest.mark.parametrize("display", LAYOUTS)
def test_layouts(display: str) -> None:
    boxes, wanted = boxes_of(display, 14, 17, 50), LAYOUTS[display]
    if wanted is None:
        assert boxes is None
        return
    assert boxes is not None
    assert len(boxes) == sum(wanted)
    groups: dict[int, list[Box]] = {}
    for box in boxes:
        groups.setdefault(box.left if display.startswith("COL") else box.top, []).append(box)
    assert [len(group) for group in groups.values()] == wanted
    sheet = np.zeros((850, 700), int)
    for box in boxes:
        place = sheet[box.top : box.top + box.rows, box.left : box.left + box.columns]
        assert place.shape == (box.rows, box.columns)
        place += 1
    assert sheet.max() == 1


@pytest.mark.parametrize(("name", "size"), [
    ("8INX10IN", (8, 10)), ("14INX17IN", (14, 17)), ("17INX14IN", (14, 17)), ("24CMX30CM", (24 / 2.54, 30 / 2.54)),
    ("A4", (210 / 25.4, 297 / 25.4)), ("8_5INX11IN", (8.5, 11)), ("0INX1IN", None), ("999INX999IN", None), ("", None),
    ("A5", None), ("1INX" + "9" * 400 + "IN", None),
])  # fmt: skip
def test_film_sizes(name: str, size: tuple[float, float] | None) -> None:
    assert film_size(name) == (None if size is None else pytest.approx(size))
    assert film_size(name, "LANDSCAPE") == (None if size is None else pytest.approx(size[::-1]))


def test_the_greyscale_function() -> None:
    density = Density()
    from dicomcore.services.print_sheet import _index

    for jnd, luminance in ((1, 0.0500), (1023, 3993.4040)):  # PS3.14 table B-1
        assert _index(luminance) == pytest.approx(jnd, abs=0.1)
    greys = density.greys(np.array([0.2, 3.0, 0.0, 9.0, 1.0]))
    assert greys[:4].tolist() == pytest.approx([1, 0, 1, 0])
    assert 0 < greys[4] < 1
    assert (density.grey("BLACK"), density.grey("WHITE"), density.grey("300"), density.grey("x", 0.5)) == (
        0, 1, pytest.approx(0), 0.5,
    )  # fmt: skip


def table_of(values: list[int], bits: int, count: int | None = None) -> Dataset:
    item = data_set(LUTDescriptor=[len(values) if count is None else count, 0, bits])
    item.add_new(0x00283006, "OW", np.array(values, "<u2").tobytes())
    return data_set(PresentationLUTSequence=[item])


def test_presentation_tables() -> None:
    picture = np.array([[0, 0.5, 1]], np.float32)
    density = Density()
    assert Lut(data_set(PresentationLUTShape="IDENTITY")).apply(picture, density).tolist() == [[0, 0.5, 1]]
    dense = Lut(data_set(PresentationLUTShape="LIN OD")).apply(picture, density)[0]
    assert dense[0] == pytest.approx(1)
    assert dense[2] == pytest.approx(0, abs=1e-6)
    assert dense[0] > dense[1] > dense[2]
    turned = Lut(table_of([4095, 0], 12)).apply(picture, density)[0]
    assert turned.tolist() == pytest.approx([1, 0.5, 0])


@pytest.mark.parametrize("ds", [
    data_set(), data_set(PresentationLUTShape="X"), table_of([0, 1], 17), table_of([0, 1], 12, 3), table_of([0], 12),
    data_set(PresentationLUTSequence=[data_set(LUTDescriptor=[2, 0, 12])]),
    data_set(PresentationLUTSequence=[data_set(LUTDescriptor=2)]),
], ids=range(7))  # fmt: skip
def test_presentation_tables_that_cannot_be_used(ds: Dataset) -> None:
    with pytest.raises((ValueError, TypeError)):
        Lut(ds)


@pytest.mark.parametrize(("options", "size"), [
    ({}, (50, 100)), ({"magnification": "NONE"}, (10, 20)), ({"width": 40}, (20, 40)), ({"width": 4000}, (50, 100)),
    ({"aspect": 2.0}, (100, 100)), ({"magnification": "REPLICATE"}, (50, 100)), ({"aspect": 100.0}, (100, 2)),
])  # fmt: skip
def test_pictures_in_their_boxes(options: dict[str, Any], size: tuple[int, int]) -> None:
    sheet = np.zeros((120, 120), np.uint8)
    paint(sheet, Box(10, 10, 100, 100), np.ones((10, 20), np.float32), **options)
    rows, columns = np.nonzero(sheet)
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == pytest.approx(
        size, abs=1 if "aspect" in options else 0
    )
    assert abs((rows.max() + rows.min()) / 2 - 59.5) <= 1


def test_large_pictures_are_means() -> None:
    sheet = np.zeros((10, 10), np.uint8)
    stripes = np.zeros((1000, 1000), np.float32)
    stripes[::2] = 1
    paint(sheet, Box(0, 0, 10, 10), stripes)
    assert set(sheet.ravel().tolist()) <= {127, 128}


# -- requests


def item(**changes: Any) -> Dataset:
    made = data_set(
        **{
            "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": 2, "Columns": 4,
            "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0,
        } | {name: value for name, value in changes.items() if name != "PixelData"}
    )  # fmt: skip
    for name, value in changes.items():
        if value is None and name in made:
            delattr(made, name)
    data = changes.get("PixelData", bytes(range(0, 256, 32)))
    if data is not None:
        made.add_new(0x7FE00010, "OW", data)
    return made


def image(*items: Dataset, **values: Any) -> Dataset:
    return data_set(ImageBoxPosition=1, BasicGrayscaleImageSequence=list(items), **values)


class Client:
    """An association with a film box."""

    def __init__(self, association: net.Association, **film: Any) -> None:
        self.one, self.session, self.film = association, "1.2.1", "1.2.2"
        assert self.create(SESSION, self.session).status == 0
        made = self.create(FILM_BOX, self.film, **{"ImageDisplayFormat": "STANDARD\\1,1"} | film)
        assert made.dataset is not None
        self.box = made.dataset.ReferencedImageBoxSequence[0].ReferencedSOPInstanceUID

    def create(self, sop_class: str, uid: str, **values: Any) -> net.Response:
        return self.one.n_create(sop_class, data_set(**values), instance=uid, over=GREY_META)

    def set(self, ds: Dataset, sop_class: str = GREY_BOX, uid: str | None = None) -> int:
        return int(self.one.n_set(sop_class, uid or self.box, ds, over=GREY_META).status)

    def print(self, sop_class: str = FILM_BOX, uid: str | None = None, action: int = 1) -> int:
        return int(self.one.n_action(sop_class, uid or self.film, action, over=GREY_META).status)


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    with net.associate(shop.server.address, contexts=[GREY_META, PRINTER, LUT, JOB], timeouts=QUICK) as association:
        yield Client(association)


IMAGES: dict[str, tuple[Dataset, int]] = {
    "right": (image(item()), 0),
    "of 12 bits": (image(item(BitsAllocated=16, BitsStored=12, HighBit=11, PixelData=bytes(16))), 0),
    "negative": (image(item(PhotometricInterpretation="MONOCHROME1")), 0),
    "of another box": (data_set(ImageBoxPosition=2, BasicGrayscaleImageSequence=[item()]), 0x0106),
    **{f"without {name}": (image(item(**{name: None})), 0x0120) for name in (
        "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
        "PixelRepresentation", "PixelData")},
    "too few pixels": (image(item(PixelData=bytes(6))), 0x0106),
    "no pixels": (image(item(Rows=0)), 0x0106),
    "too many": (image(item(Rows=65535, Columns=65535)), 0x0106),
    "signed": (image(item(PixelRepresentation=1)), 0x0106),
    "of 32 bits": (image(item(BitsAllocated=32, PixelData=bytes(32))), 0x0106),
    "more bits than allocated": (image(item(BitsStored=9)), 0x0106),
    "no bits": (image(item(BitsStored=0)), 0x0106),
    "coloured in a grey box": (image(item(SamplesPerPixel=3, PhotometricInterpretation="RGB", PixelData=bytes(24))), 0),
    "two samples": (image(item(SamplesPerPixel=2)), 0x0106),
    "YBR": (image(item(SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL", PixelData=bytes(24))), 0x0106),
    "palette": (image(item(PhotometricInterpretation="PALETTE COLOR")), 0x0106),
    "nothing": (Dataset(), 0),
    "too wide, smaller will do": (image(item(), RequestedImageSize=9999), 0xB604),
    "too wide": (image(item(), RequestedImageSize=9999, RequestedDecimateCropBehavior="FAIL"), 0xC603),
    "a size of nothing": (image(item(), RequestedImageSize=0), 0),
    "an aspect of nothing": (image(item(PixelAspectRatio=[1, 0])), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_images(shop: Shop, client: Client, name: str) -> None:
    ds, status = IMAGES[name]
    assert client.set(ds) == status
    is_empty = (status and status != 0xB604) or name == "nothing"
    if name == "coloured in a grey box":
        assert client.print() == 0x0110
        return
    assert client.print() == (0xB603 if is_empty else 0)
    assert len(shop.sheets) == (0 if is_empty else 1)


def test_an_image_can_be_taken_back(client: Client) -> None:
    assert client.set(image(item())) == 0
    assert client.set(image()) == 0
    assert client.print() == 0xB603


def test_what_is_seen(shop: Shop, client: Client) -> None:
    white = item(PixelData=b"\xff" * 8)

    def shown(ds: Dataset) -> int:
        assert client.set(ds) == 0
        assert client.print() == 0
        picture = shop.sheets[-1].picture
        return int(picture[picture.shape[0] // 2, picture.shape[1] // 2])

    assert shown(image(white)) == 255
    assert shown(image(white, Polarity="REVERSE")) == 0
    assert shown(image(item(PixelData=b"\xff" * 8, PhotometricInterpretation="MONOCHROME1"))) == 0
    table = client.one.n_create(LUT, table_of([4095, 0], 12), instance="1.2.9")
    assert table.status == 0
    refers = data_set(ReferencedSOPClassUID=LUT, ReferencedSOPInstanceUID="1.2.9")
    assert shown(image(white, ReferencedPresentationLUTSequence=[refers])) == 0
    assert client.set(data_set(ReferencedPresentationLUTSequence=[refers]), FILM_BOX, client.film) == 0
    assert shown(image(white)) == 0
    assert client.one.n_delete(LUT, "1.2.9").status == 0
    assert shown(image(white)) == 255
    assert client.one.n_create(LUT, data_set(PresentationLUTShape="X")).status == 0x0106


def test_jobs_are_told(shop: Shop, client: Client) -> None:
    client.set(image(item()))
    printed = client.one.n_action(SESSION, client.session, 1, over=GREY_META)
    assert printed.dataset is not None
    job = printed.dataset.ReferencedPrintJobSequence[0].ReferencedSOPInstanceUID
    told = client.one.report(5)
    assert told is not None
    assert (told.command.EventTypeID, told.sop_instance, told.dataset.ExecutionStatusInfo) == (3, job, "NORMAL")
    state = client.one.n_get(JOB, job)
    assert state.dataset is not None
    assert (state.dataset.ExecutionStatus, state.dataset.PrinterName) == ("DONE", "DICOMCORE")
    assert client.one.n_get(JOB, "1.2.3.4").status == 0x0112


def test_a_printer_on_fire() -> None:
    def burn(sheets: list[Sheet]) -> None:
        raise OSError("fire")

    server = net.Server(ae="PRINTER", timeouts=QUICK)
    server.add(services.Printer(burn, dpi=20))
    with server, pytest.raises(NetworkError, match="not printed: OSError"):
        services.print_images(server.address, [GREYS], timeouts=QUICK)


def test_the_printer_itself(client: Client) -> None:
    whole = client.one.n_get(PRINTER, PRINTER_INSTANCE)
    assert whole.dataset is not None
    assert (whole.status, whole.dataset.PrinterStatus) == (0, "NORMAL")
    part = client.one.n_get(PRINTER, PRINTER_INSTANCE, [0x21100010], over=GREY_META)
    assert part.dataset is not None
    assert len(part.dataset) == 1
    assert client.one.n_get(PRINTER, PRINTER_INSTANCE, [0x00100010]).status == 1
    assert client.one.n_get(PRINTER, "1.2.3").status == 0x0112


def test_what_does_not_exist(client: Client) -> None:
    assert client.create(SESSION, "1.2.8").status == 0x0213
    assert client.create(FILM_BOX, client.film, ImageDisplayFormat="STANDARD\\1,1").status == 0x0111
    assert client.create(FILM_BOX, "1.2.8").status == 0x0120
    assert client.create(FILM_BOX, "1.2.8", ImageDisplayFormat="SLIDE").status == 0x0106
    assert client.create(FILM_BOX, "1.2.8", ImageDisplayFormat="STANDARD\\1,1", FilmOrientation="UP").status == 0x0106
    odd = client.create(FILM_BOX, "1.2.8", ImageDisplayFormat="STANDARD\\1,1", FilmSizeID="HUGE")
    assert odd.dataset is not None
    assert (odd.status, odd.dataset.FilmSizeID) == (0x0116, "14INX17IN")
    other = data_set(ReferencedSOPClassUID=SESSION, ReferencedSOPInstanceUID="1.2.77")
    assert (
        client.create(
            FILM_BOX, "1.2.10", ImageDisplayFormat="STANDARD\\1,1", ReferencedFilmSessionSequence=[other]
        ).status
        == 0x0106
    )
    assert client.create("1.2.840.10008.5.1.1.99", "1.2.8").status == 0x0118
    for sop_class in (GREY_BOX, FILM_BOX, SESSION):
        assert client.set(Dataset(), sop_class, "1.2.99") == 0x0112
    assert client.set(data_set(FilmSizeID="A4", BorderDensity="WHITE"), FILM_BOX, client.film) == 0
    assert client.set(data_set(NumberOfCopies=3), SESSION, client.session) == 0
    assert client.print(uid="1.2.99") == 0x0112
    assert client.print(action=2) == 0x0123
    assert client.print(GREY_BOX, client.box) == 0x0118
    assert client.print(SESSION, client.session) == 0xB602
    for sop_class, uid in ((GREY_BOX, client.box), (FILM_BOX, "1.2.99"), (SESSION, "1.2.99")):
        assert client.one.n_delete(sop_class, uid, over=GREY_META).status in (0x0112, 0x0118)
    assert client.one.n_delete(FILM_BOX, client.film, over=GREY_META).status == 0
    assert client.one.n_delete(SESSION, client.session, over=GREY_META).status == 0
    assert client.print(SESSION, client.session) == 0x0112
    assert client.create(SESSION, "1.2.8", NumberOfCopies=0).status in (0, 0x0106)


def test_associations_do_not_share_what_they_work_on(shop: Shop, client: Client) -> None:
    with net.associate(shop.server.address, contexts=[GREY_META], timeouts=QUICK) as other:
        assert other.n_set(GREY_BOX, client.box, image(item()), over=GREY_META).status == 0x0112
        assert other.n_create(SESSION, instance=client.session, over=GREY_META).status == 0
        assert other.n_action(SESSION, client.session, 1, over=GREY_META).status == 0xC600
    assert client.set(image(item())) == 0


def test_too_much(shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomcore.services.printing.MOST_BYTES", 64)
    assert client.set(image(item())) == 0
    assert client.set(image(item(Rows=20, PixelData=bytes(80)))) == 0xC605
    for number in range(63):
        assert client.create(FILM_BOX, f"1.3.{number}", ImageDisplayFormat="STANDARD\\1,1").status == 0
    assert client.create(FILM_BOX, "1.3.99", ImageDisplayFormat="STANDARD\\1,1").status == 0x0213


def test_what_an_association_left_goes_with_it(shop: Shop) -> None:
    import gc

    for _ in range(3):
        with net.associate(shop.server.address, contexts=[GREY_META], timeouts=QUICK) as association:
            Client(association).set(image(item()))
    for _ in range(100):
        gc.collect()
        if not len(shop.printer._works):
            break
        time.sleep(0.02)
    assert len(shop.printer._works) == 0


# -- peers


def test_pynetdicom_prints(shop: Shop) -> None:
    pynetdicom = pytest.importorskip("pynetdicom")
    from pydicom.dataset import Dataset as Theirs

    entity = pynetdicom.AE("THEM")
    for uid in (GREY_META, COLOUR_META):
        entity.add_requested_context(uid)
    one = entity.associate("127.0.0.1", shop.server.port, ae_title="PRINTER")
    assert one.is_established
    status, made = one.send_n_get([0x21100010], PRINTER, PRINTER_INSTANCE, meta_uid=GREY_META)
    assert (status.Status, made.PrinterStatus) == (0, "NORMAL")
    session, film = Theirs(), Theirs()
    session.NumberOfCopies = "1"
    assert one.send_n_create(session, SESSION, "1.2.1", meta_uid=GREY_META)[0].Status == 0
    film.ImageDisplayFormat, film.FilmSizeID = "STANDARD\\2,2", "8INX10IN"
    refers = Theirs()
    refers.ReferencedSOPClassUID, refers.ReferencedSOPInstanceUID = SESSION, "1.2.1"
    film.ReferencedFilmSessionSequence = [refers]
    status, made = one.send_n_create(film, FILM_BOX, "1.2.2", meta_uid=GREY_META)
    assert (status.Status, len(made.ReferencedImageBoxSequence)) == (0, 4)
    for number, box in enumerate(made.ReferencedImageBoxSequence, 1):
        pixels, values = Theirs(), Theirs()
        pixels.SamplesPerPixel, pixels.PhotometricInterpretation = 1, "MONOCHROME2"
        pixels.Rows, pixels.Columns = GREYS.shape
        pixels.BitsAllocated, pixels.BitsStored, pixels.HighBit, pixels.PixelRepresentation = 8, 8, 7, 0
        pixels.PixelData = GREYS.tobytes()
        values.ImageBoxPosition, values.BasicGrayscaleImageSequence = number, [pixels]
        status, _ = one.send_n_set(values, GREY_BOX, box.ReferencedSOPInstanceUID, meta_uid=GREY_META)
        assert status.Status == 0
    assert one.send_n_action(None, 1, FILM_BOX, "1.2.2", meta_uid=GREY_META)[0].Status == 0
    assert one.send_n_delete(FILM_BOX, "1.2.2", meta_uid=GREY_META).Status == 0
    one.release()
    (sheet,) = shop.sheets
    assert sheet.picture.shape == (500, 400)
    assert (int(sheet.picture.max()), len(np.unique(sheet.picture)) > 100) == (255, True)


CONFIGURATION = """
[[GENERAL]]
[DATABASE]
Directory = {folder}/database
[PRINT]
Directory = {folder}/print
[[COMMUNICATION]]
[US]
Hostname = localhost
Port = {port}
AETitle = PRINTER
Description = ours
Type = PRINTER
MaxPDU = 32768
Supports12Bit = true
SupportsPresentationLUT = true
PresentationLUTinFilmSession = false
SupportsImageSize = true
SupportsDecimateCrop = true
SupportsTrim = true
FilmSizeID = 14INX17IN
MediumType = PAPER
FilmDestination = PROCESSOR
DisplayFormat = 1,1\\2,2
MagnificationType = REPLICATE
[THEM]
Hostname = localhost
Port = {own}
AETitle = THEIRS
Description = theirs
Type = LOCALPRINTER
MaxPDU = 32768
Supports12Bit = true
SupportsPresentationLUT = true
FilmSizeID = 14INX17IN
MediumType = PAPER
FilmDestination = PROCESSOR
DisplayFormat = 1,1\\2,2
[[VIEWER]]
"""


def configured(folder: Path, port: int, own: int = 0) -> Path:
    for name in ("database", "print"):
        (folder / name).mkdir(exist_ok=True)
    path = folder / "dcmpstat.cfg"
    path.write_text(CONFIGURATION.format(folder=folder, port=port, own=own))
    return path


needs_dcmtk = pytest.mark.skipif(shutil.which("dcmpsprt") is None, reason="DCMTK is not installed")


@needs_dcmtk
def test_dcmtk_prints(shop: Shop, tmp_path: Path) -> None:
    configuration = configured(tmp_path, shop.server.port)
    ct = next(path for path in FILES if path.name == "CT_small.dcm")

    def run(*command: object) -> None:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run("dcmpsprt", "-c", configuration, "-p", "US", "--layout", 2, 2, ct, ct)
    run("dcmprscu", "-c", configuration, "-p", "US", *(tmp_path / "database").glob("SP*.dcm"))
    (sheet,) = shop.sheets
    assert sheet.picture.shape == (850, 700)
    hardcopy = dcmread(next((tmp_path / "database").glob("HG*.dcm")))
    shown = hardcopy.pixel_array / ((1 << hardcopy.BitsStored) - 1) * 255
    box = (boxes_of("STANDARD\\2,2", 14, 17, 50) or [])[0]
    size = min(box.rows, box.columns)
    top, left = box.top + (box.rows - size) // 2, box.left + (box.columns - size) // 2
    printed = sheet.picture[top : top + size, left : left + size]
    at = np.arange(size) * shown.shape[0] // size
    assert np.abs(printed - shown[at][:, at]).mean() < 1


@needs_dcmtk
def test_dcmtk_is_printed_on(tmp_path: Path) -> None:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    configuration = configured(tmp_path, 1, port)
    printer = subprocess.Popen(
        ["dcmprscp", "-c", str(configuration), "-p", "THEM"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 1):
                    break
            except OSError:
                assert time.monotonic() < until
                assert printer.poll() is None, printer.communicate()[0]
                time.sleep(0.05)
        done = services.print_images(
            f"THEIRS@127.0.0.1:{port}", [GREYS, GREYS], layout="2,2", medium="PAPER", timeouts=QUICK
        )
        assert done.sheets == 1
    finally:
        printer.kill()
        printer.communicate()
    assert len(list((tmp_path / "database").glob("HG*.dcm"))) == 2, list((tmp_path / "database").iterdir())
    assert len(list((tmp_path / "database").glob("SP*.dcm"))) == 1


def test_pixels_that_are_not_square(shop: Shop) -> None:
    ct = dcmread(next(path for path in FILES if path.name == "CT_small.dcm"))
    ct.PixelSpacing = [1.5, 0.5]
    services.print_images(shop.server.address, ct, timeouts=QUICK)
    picture = shop.sheets[0].picture
    rows, columns = np.nonzero(picture > 0)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert height / width == pytest.approx(3, abs=0.1)
