"""Many strings searched for at once, beside Python's own search."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomcore._native.deid.needle import BIG, FOLDED, LITTLE, WHOLE, Needles

CASES = {  # name: (needle, flags, data, offsets)
    "in the middle": (b"Muster", 0, b"xxMusterxx", [2]),
    "at both ends": (b"abc", 0, b"abc.abc", [0, 4]),
    "overlapping": (b"abab", 0, b"abababab", [0, 2, 4]),
    "another case": (b"Muster", 0, b"MUSTER", []),
    "any case": (b"Muster", FOLDED, b"mUSTER MUSTER", [0, 7]),
    "any case of letters only": (b"ab@de", FOLDED, b"ab`de ab@DE", [6]),
    "inside a word": (b"Hand", WHOLE | FOLDED, b"beforehand shorthanded", []),
    "a word": (b"Hand", WHOLE | FOLDED, b"left hand, HAND^hand", [5, 11, 16]),
    "a word beside digits": (b"Hand", WHOLE, b"1Hand2", [1]),
    "a number inside a number": (b"1970", WHOLE, b"119701 x1970y", [8]),
    "two bytes a character": ("Hand".encode("utf-16-le"), LITTLE | WHOLE, "a Hand".encode("utf-16-le"), [4]),
    "two bytes, inside a word": ("Hand".encode("utf-16-le"), LITTLE | WHOLE, "xHand".encode("utf-16-le"), []),
    "two bytes, the higher first": ("Hand".encode("utf-16-be"), BIG | WHOLE, "a Hand".encode("utf-16-be"), [4]),
    "shorter than a word of the machine": (b"ab", 0, b"ab", [0]),
    "longer than the data": (b"abcdef", 0, b"abcde", []),
    "no data": (b"abc", 0, b"", []),
    "zeros": (b"a\0\0\0", 0, b"\0\0a\0\0\0\0", [2]),
}


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize(("needle", "flags", "data", "wanted"), CASES.values(), ids=CASES)
def test_offsets(needle, flags, data, wanted, kind, tmp_path):
    found = Needles([needle], [flags])
    assert found.search(kind(data)) == ([(at, 0) for at in wanted], len(wanted))
    path = tmp_path / "data"
    path.write_bytes(data)
    assert found.search_file(str(path)) == ([(at, 0) for at in wanted], len(wanted))


def naive(needles: list[tuple[bytes, int]], data: bytes) -> list[tuple[int, int]]:
    hits = []
    for number, (text, flags) in enumerate(needles):
        pattern = b"(?=%s)" % re.escape(text)
        if flags & WHOLE and not flags & (LITTLE | BIG):
            for edge, around in ((text[:1], rb"(?<!%s)%s"), (text[-1:], rb"%s(?!.{%d}%s)")):
                same = rb"[a-zA-Z]" if edge.isalpha() else rb"[0-9]" if edge.isdigit() else None
                if same and around.startswith(b"(?<!"):
                    pattern = around % (same, pattern)
                elif same:
                    pattern = around % (pattern, len(text), same)
        hits += [(m.start(), number) for m in re.finditer(pattern, data, (re.I if flags & FOLDED else 0) | re.DOTALL)]
    return sorted(hits)


TEXTS = st.binary(min_size=2, max_size=20) | st.text("abAB12 ", min_size=2, max_size=12).map(str.encode)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.sampled_from([0, WHOLE, FOLDED, WHOLE | FOLDED])), max_size=40), st.data())
def test_the_same_as_a_naive_search(needles, data):
    pieces = data.draw(st.lists(TEXTS | st.sampled_from([text for text, _ in needles] or [b"ab"]), max_size=30))
    hay = b"".join(pieces)
    found, count = Needles([text for text, _ in needles], [flags for _, flags in needles]).search(hay, 100_000)
    assert found == naive(needles, hay)
    assert count == len(found)


@pytest.mark.parametrize("at", [0, (1 << 20) - 7, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (3 << 20) - 6])
def test_needles_across_the_pieces_of_a_file(tmp_path: Path, at: int) -> None:
    needles = Needles([b"needle", b"eedl", b"x" * 300], [WHOLE, 0, 0])
    data = bytearray(3 << 20)
    data[at : at + 6] = b"needle"
    path = tmp_path / "data"
    path.write_bytes(data)
    assert needles.search_file(str(path)) == needles.search(data) == ([(at, 0), (at + 1, 1)], 2)
    if at:
        data[at - 1] = ord("n")  # one letter before it, in the piece before
        path.write_bytes(data)
        assert needles.search_file(str(path)) == ([(at + 1, 1)], 1)


def test_thousands_of_needles_that_look_alike():
    texts = [f"1.2.840.113619.2.55.3.{n}".encode() for n in range(20_000)]
    needles = Needles(texts, [WHOLE] * len(texts))
    assert needles.search(b"UID 1.2.840.113619.2.55.3.19999 1.2.840.113619.2.55.3.20000 ") == ([(4, 19999)], 1)


def test_short_and_long_ones_of_all_widths_among_thousands():
    words = [f"{word}{n}" for n in range(600) for word in ("ab", "muster", "a very long name of somebody ")]
    kinds = [("ascii", 0), ("utf-16-le", LITTLE), ("utf-16-be", BIG)]
    texts = [(word.encode(codec), flags | WHOLE) for word in words for codec, flags in kinds]
    needles = Needles([text for text, _ in texts], [flags for _, flags in texts])
    data, wanted = bytearray(b"\0\0\0"), []
    for number, (text, _) in enumerate(texts):
        wanted.append((len(data), number))
        data += text + b"\0\0\0"
    found, _ = needles.search(data, 100_000)
    assert set(wanted) <= set(found)  # beside zeros, one order of bytes is the other one, too
    assert all(data[at : at + len(texts[number][0])] == texts[number][0] for at, number in found)


def test_the_list_ends_but_the_count_goes_on():
    assert Needles([b"aa"], [0]).search(b"a" * 100, 3) == ([(0, 0), (1, 0), (2, 0)], 99)
    assert Needles([], []).search(b"abc") == ([], 0)


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match="2 to 4096 bytes"):
        Needles([b"a"], [0])
    with pytest.raises(ValueError, match="1 needles have 2 flags"):
        Needles([b"ab"], [0, 0])
    with pytest.raises(FileNotFoundError):
        Needles([b"ab"], [0]).search_file(str(tmp_path / "none"))
    with pytest.raises(ValueError, match="NUL"):
        Needles([b"ab"], [0]).search_file("a\0b")
