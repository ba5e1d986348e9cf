"""pydicom.encaps under install(): fragments, frames and offset tables, against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import Both

SETUP = r"""
from io import BytesIO
from struct import pack
from pydicom import dcmread, encaps
from pydicom.data import get_testdata_file
from pydicom.encaps import *
from pydicom.filebase import DicomBytesIO

def item(value, order="<", length=None):
    return pack(order + "HHL", 0xFFFE, 0xE000, len(value) if length is None else length) + value
def table(*offsets, order="<"):
    return item(pack(f"{order}{len(offsets)}L", *offsets), order)
def stream(data, little=True):
    made = DicomBytesIO(data)
    made.is_little_endian = little
    return made
def at(data, function, *args, place=0, **options):
    made = BytesIO(data)
    made.seek(place)
    value = function(made, *args, **options)
    return (list(value) if hasattr(value, "__next__") else value), made.tell()

END = b"\xfe\xff\xdd\xe0\0\0\0\0"
A, B, C, D = b"\1\2\3\4", b"\5\6", b"\7\x08\xff\xd9", b"\x09\x0a\xff\xd9"
FOUR = b"".join(map(item, (A, C, B, D)))
KINDS = {
    "one": table() + item(A),
    "no table": table() + FOUR + END,
    "table": table(0, 24) + FOUR + END,
    "table of four": table(0, 12, 24, 34) + FOUR,
    "table that lies": table(0, 13) + FOUR,
    "no markers": table() + item(A) + item(B) + item(A),
    "a rest": table() + FOUR + item(A),
    "empty item": table() + item(b"") + item(C) + item(D),
}
EXTENDED = pack("<2Q", 0, 24), pack("<2Q", 4, 2)
REAL = dcmread(get_testdata_file("rtdose_rle.dcm"))
FRAMES = list(generate_frames(REAL.PixelData, number_of_frames=15))
"""
FAULTS = {
    "cut in a tag": "table() + item(A)[:2]",
    "cut in a length": "table() + item(A)[:6]",
    "cut in a value": "table() + item(A)[:10]",
    "undefined length": "table() + item(A, length=0xFFFFFFFF)",
    "another tag": "table() + item(A) + bytes(8)",
    "no item at all": "table()",
    "no table": "b'1234' + FOUR",
    "table of 3 bytes": "item(b'123') + FOUR",
    "empty": "b''",
}
SAME = {
    **{
        f"{kind}, {frames} frames": f"list(generate_fragmented_frames(KINDS[{kind!r}], number_of_frames={frames}))"
        for kind in (
            "one",
            "no table",
            "table",
            "table of four",
            "table that lies",
            "no markers",
            "a rest",
            "empty item",
        )
        for frames in (None, 1, 2, 3, 4, 9)
    },
    **{
        f"frame {index} of {frames}, {kind}": f"get_frame(KINDS[{kind!r}], {index}, number_of_frames={frames})"
        for kind in ("one", "no table", "table", "table of four", "no markers", "a rest")
        for frames in (None, 1, 2, 4)
        for index in (0, 1, 4)
    },
    **{f"fragments, {name}": f"list(generate_fragments(({data})[8:]))" for name, data in FAULTS.items()},
    **{f"count, {name}": f"parse_fragments(({data})[8:])" for name, data in FAULTS.items()},
    **{f"frames, {name}": f"list(generate_frames({data}, number_of_frames=2))" for name, data in FAULTS.items()},
    **{f"offsets, {name}": f"parse_basic_offsets({data})" for name, data in FAULTS.items()},
    "extended table": 'list(generate_frames(KINDS["no table"], extended_offsets=EXTENDED))',
    "extended table of numbers": 'list(generate_frames(KINDS["no table"], extended_offsets=([0, 24], [4, 2])))',
    "frame by the extended table": 'get_frame(KINDS["no table"], 1, extended_offsets=EXTENDED)',
    "no frame in the extended table": 'get_frame(KINDS["no table"], 2, extended_offsets=EXTENDED)',
    "big endian": 'list(generate_frames(table(0, 12, order=">") + item(A, ">") + item(C, ">"), endianness=">"))',
    "bytearray": 'list(generate_frames(bytearray(KINDS["table"]))), parse_basic_offsets(bytearray(KINDS["table"]))',
    "positions of a stream": '[at(b"xx" + data, *call, place=2) for data in KINDS.values() for call in'
    " ((parse_basic_offsets,), (get_frame, 0))]",
    "positions at fragments": "[at(b'xx' + FOUR + END, call, place=2) for call in (parse_fragments,"
    " generate_fragments)]",
    "real frames": "[len(frame) for frame in FRAMES], FRAMES[3], get_frame(REAL.PixelData, 3, number_of_frames=15)",
    "fragment_frame": "[[list(fragment_frame(bytes(range(size)), number)) for number in range(1, (size + 1) // 2 + 1)]"
    " for size in range(12)]",
    "fragment_frame into too many": "list(fragment_frame(A, 3))",
    "itemize": "itemize_fragment(A), list(itemize_frame(A + B, 2)), itemize_fragment(b'')",
    "encapsulate": "[encapsulate(frames, number, table) for frames in ([A], [A, B + b'1'], [A * 9, B * 8, D * 7])"
    " for number in (1, 2) for table in (True, False)]",
    "encapsulate nothing": "encapsulate([]), encapsulate([], has_bot=False)",
    "encapsulate_extended": "encapsulate_extended([A, B + b'1', C])",
    "encapsulate into too many": "encapsulate([B], 2)",
    "a round": "list(generate_frames(encapsulate(FRAMES))) == FRAMES, encapsulate(FRAMES) == REAL.PixelData,"
    " list(generate_frames(BytesIO(encapsulate(FRAMES, 2)), number_of_frames=15)) == FRAMES",
    "encapsulate_buffer": "[encapsulate_buffer([BytesIO(A), BytesIO(b'123')], has_bot).read(size) for has_bot in"
    " (True, False) for size in (None, 3, 8, 20, 8192)]",
    "encapsulate_extended_buffer": "encapsulate_extended_buffer([BytesIO(A), BytesIO(b'123')])[1:]",
    "buffers of a buffer": "EncapsulatedBuffer(BytesIO(A))",
    "positions of a buffer": "[(made := EncapsulatedBuffer([BytesIO(A)])).seek(*place) for place in ((3,), (9, 1),"
    " (-1, 2),"
    " (-99, 1), (99, 0))], made.lengths, made.offsets, made.encapsulated_length, made.readable(), made.seekable()",
    "a buffer before its beginning": "EncapsulatedBuffer([BytesIO(A)]).seek(-1)",
    "former functions": "[encaps.get_frame_offsets(stream(KINDS['table'])), encaps.get_frame_offsets(stream(table())),"
    " encaps.get_nr_fragments(stream(FOUR)), list(encaps.generate_pixel_data_fragment(stream(FOUR))),"
    " list(encaps.generate_pixel_data(KINDS['table'])), list(encaps.generate_pixel_data_frame(KINDS['no table'], 2)),"
    " encaps.decode_data_sequence(KINDS['table']), encaps.defragment_data(KINDS['empty item']),"
    " encaps.read_item(stream(item(A))), encaps.read_item(stream(END)), encaps.read_item(stream(b'')),"
    " list(encaps.itemise_frame(A)), encaps.itemise_fragment(A)]",
    "get_frame_offsets in big endian": "encaps.get_frame_offsets(stream(KINDS['table'], False))",
    "get_nr_fragments in big endian": "encaps.get_nr_fragments(stream(FOUR, False))",
    "read_item of undefined length": "encaps.read_item(stream(item(A, length=0xFFFFFFFF)))",
    "numbers at the end of a stream": "stream(b'12').read_UL()",
    "a number at the end of a stream": "stream(b'1').read_US()",
    "a tag at the end of a stream": "stream(b'12').read_tag()",
    "numbers of a stream": "[(stream(b'1234', little).read_UL(), stream(b'12', little).read_US(), stream(b'1234',"
    " little).read_tag()) for little in (True, False)]",
    "a name that is not there": "encaps.no_such_name",
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)
