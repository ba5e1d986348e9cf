"""Descriptions cleaned: what identifies somebody goes, what describes images stays."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import dicomcore as dc
from dicomcore._native.deid.tables import attributes
from dicomcore.charset import charset_for
from dicomcore.deid.date_texts import find_dates, find_known_dates, spellings
from dicomcore.deid.folding import fold, words_of
from dicomcore.deid.identifiers import Identifiers
from dicomcore.deid.text import clean, matches
from dicomcore.deid.vocabulary import common_words, is_plain
from tests.support.corpus import small_files

WHO = Identifiers(
    names=["Müller^Hans-Peter^Karl", "Yamada^Tarou=山田^太郎=やまだ^たろう"],
    staff=["Brown^Mary", "Li^Wei", "Dr. Jane O'Neil"],
    ids=["12345678", "AB-1234", "ACC998877", "0000456789"],
    dates=[date(1970, 1, 2), date(2019, 3, 4)],
    institutions=["University Hospital Zürich", "Mayo Clinic"],
    contacts=["12 Main Street, Springfield 90210", "+41 44 255 11 11"],
    devices=["MRC35423", "CT01"],
)

NOBODY = Identifiers(names=["Featherstone^Xanthippe"], ids=["QX-99118822"], dates=[date(1931, 7, 30)])

CUT = {  # name: (text, what is left)
    "given and family name": ("CT ABD W/O for Hans Müller", "CT ABD W/O for"),
    "family name first, an umlaut as two letters": ("MUELLER, HANS PETER - brain", "brain"),
    "as in PN": ("muller^hans head", "head"),
    "between underscores": ("T2_MULLER_AX", "T2_AX"),
    "initials": ("T1 SAG h.p. müller", "T1 SAG"),
    "an account": ("HMULLER MR brain", "MR brain"),
    "joined": ("MÜLLERHANS brain", "brain"),
    "inside a longer word": ("x müllerhansi", "x"),
    "cut off": ("T1 MUELLE", "T1"),
    "possessive": ("Müller's disease", "disease"),
    "in brackets": ("(Müller)", ""),
    "a word of the vocabulary in a whole name": ("Mary Brown knee", "knee"),
    "behind a title": ("Ref Dr. Brown knee", "Ref knee"),
    "short names together": ("Li Wei seen", "seen"),
    "an apostrophe in joined names": ("JaneO'Neil MR", "MR"),
    "an apostrophe": ("ONEIL MR", "MR"),
    "Japanese": ("山田太郎 頭部CT", "頭部CT"),
    "Japanese family name": ("頭部 山田様", "頭部"),
    "katakana for hiragana": ("ヤマダ タロウ 頭部", "頭部"),
    "half-width katakana": ("ﾔﾏﾀﾞ 頭部", "頭部"),
    "patient ID": ("PID12345678 knee", "knee"),
    "patient ID with spaces": ("12 345 678 knee", "knee"),
    "an ID without its hyphen": ("AB1234 knee", "knee"),
    "an ID without leading zeros": ("knee 456789", "knee"),
    "dates": ("age 49, 2 Jan 1970, on 04.03.19", "age 49, on"),
    "a date with a time": ("study of 03/04/2019 10:15", "study of"),
    "six digits of a known date": ("700102 knee", "knee"),
    "eight digits": ("20190304_knee", "knee"),
    "a date of a DT": ("at 20190304101500.000000+0100 done", "at done"),
    "somebody's date": ("prior of 12-NOV-2018", "prior of"),
    "an era": ("昭和45年1月2日 生", "生"),
    "institution": ("University Hospital Zurich CT", "CT"),
    "part of an institution": ("Zurich protocol", "protocol"),
    "initials of an institution": ("UHZ abdomen", "abdomen"),
    "station": ("CT01 chest", "chest"),
    "serial number": ("MRC35423", ""),
    "zip code": ("90210 knee", "knee"),
    "telephone": ("at +1 (212) 555-1212 now", "at now"),
    "telephone with a label": ("phone: 044 255 11 11 now", "now"),
    "e-mail": ("see a.b@c.example for MR", "see for MR"),
    "an address of a computer": ("from 10.31.4.22:104 via 00:1B:44:11:3A:B7 JPEG", "from via JPEG"),
    "behind a NUL": ("BONE\0MULLER", "BONE"),
    "a date behind a number": ("T2/03/04/2019 MR", "T2/ MR"),
    "a date behind a number that may be its month": ("T2/02/01/2000 MR", "T2/ MR"),
    "web": ("https://x.example/y?z=1 MR", "MR"),
    "social security number": ("123-45-6789 MR", "MR"),
    "record number": ("MRN 778899 abdomen", "abdomen"),
    "record number with letters": ("Acc# XR-55821 abdomen", "abdomen"),
    "an unregistered UID": ("of 1.2.840.113619.2.55.3.1 done", "of done"),
    "a long number": ("5551234567 abdomen", "abdomen"),
    "an unknown name behind Mr": ("Mr Smith brain", "brain"),
    "an unknown name behind DR": ("DR JONES CHEST", "DR CHEST"),
    "an unknown name behind a colon": ("Patient: Smith John supine", "Patient: supine"),
    "a date between underscores": ("T1_2018_11_12_AX", "T1_AX"),
    "a date in Spanish": ("nacido el 5 de julio de 1937 en casa", "nacido el en casa"),
    "a date in Polish": ("ur. 13 kwietnia 1961 lewy", "ur. lewy"),
    "a date in Russian": ("род. 13 апреля 1961 г.", "род. г."),
    "a date in Vietnamese": ("sinh ngày 13 tháng 4 năm 1961 gan", "sinh ngày gan"),
    "a date in Arabic": ("الكبد 13 أبريل 1961", "الكبد"),
    "a date in Hebrew": ("כבד 13 באפריל 1961", "כבד"),
    "a month in Roman numbers": ("exam 13-IV-1961 left", "exam left"),
    "a day of a week": ("liver 2021-W37-2 left", "liver left"),
    "the day of a known year": ("liver 2019-063 left", "liver left"),
    "a known date in the calendar of Thailand": ("liver 04/03/2562 left", "liver left"),
    "per a protocol": ("read per protocol, Repeated per Protocol", "read per protocol, Repeated per Protocol"),
    "per a drug": ("Scan done per Omnipaque 350", "Scan done per Omnipaque 350"),
    "maps that are called MD": ("DTI MD, Trace, MD", "DTI MD, Trace, MD"),
    "an unknown name behind per": ("CT read per Lindqvister", "CT read per"),
    "an unknown name behind per alone": ("per Lindqvister, pain", "per, pain"),
    "per a firm, a drug and criteria": ("per Siemens; per Omnipaque; per Fleischner",) * 2,
    "an unknown name behind two roles": ("read per tech Lindqvister", "read per tech"),
    "an unknown name behind a verb": ("Verified by: Lindqvister", "Verified by"),
    "an unknown name in German": ("Gelesen von Lindqvister", "Gelesen von"),
    "an unknown name in French": ("relu par Lindqvister", "relu par"),
    "an unknown name in Spanish": ("informado por Lindqvister", "informado por"),
    "an unknown name behind a talk": ("Discussed with Maj Lindqvister", "Discussed with"),
    "an unknown name in front of a degree": ("ok, Maj Lindqvister, M.D.", "ok"),
    "an unknown technologist": ("rescanned Lindqvister, RT(R)", "rescanned"),
    "an unknown name behind a role": ("Technologist Lindqvister repeated", "Technologist repeated"),
    "an unknown name behind by": ("Reported by John Doe for headache", "Reported by for headache"),
}
KEPT = """
T2W_TSE AX 5mm|L-SPINE W/ CONTRAST 120kV 200mAs|T1_MPRAGE_SAG_P2_ISO_1.0|BRAIN^HEAD ROUTINE 2.0 H31s|3.0T Ax 3/4/5 mm
brown tumor|DR CHEST PA|MR BRAIN|MS lesion|Series 5 of 10|b1000 ADC|liver LI-RADS 4|LI|-2048 to +2047
read by radiologist|Patient: supine|12 in 16,range 0 to 255|JPEG lossy 10:1|99+ %|頭部CT|case 5|version 5.1.12
TE 90 TR 4500|512x512x300|C3-C7|Ax T2 FLAIR|L breast MLO|R CC|W/O & W/CONTRAST|0.9% saline 10ml|Head First Supine
Nurse Practitioner|TECHNOLOGIST UNABLE TO SCAN|Radiologist aware|2021-250 HU|5/11/2.0|VI 3-IV-2
young male|4-chamber view|5/10|May-White view|at 10:45:12|b0:b1:b2
"""


@pytest.mark.parametrize(("text", "left"), CUT.values(), ids=CUT)
def test_cut(text: str, left: str) -> None:
    assert clean(text, WHO) == left


@pytest.mark.parametrize("text", [text for line in KEPT.strip().split("\n") for text in line.split("|")])
def test_kept(text: str) -> None:
    assert clean(text, WHO) is text
    assert clean(text, Identifiers()) == text


def test_without_patterns_identifiers_alone_are_cut():
    assert clean("69536005", WHO, patterns=False) == "69536005"
    assert clean("69536005", WHO) == ""
    assert clean("12345678", WHO, patterns=False) == ""
    assert clean("Mr Smith, 2001-01-01, Müller, 4 March 2019", WHO, patterns=False) == "Mr Smith, 2001-01-01"


def test_real_descriptions_stay():
    tags = {tag for tag, *_, marks, _ in attributes() if "clean_descriptors" in marks} | {0x00080104}
    texts = set()
    for one in small_files(500_000):
        try:
            found = [each.value for each in dc.dcmread(one.path).iterall() if int(each.tag) in tags]
        except ValueError:
            continue
        values = (value if isinstance(value, list) else [value] for value in found)
        texts.update(text for some in values for text in some if isinstance(text, str))
    changed = {text for text in texts if clean(text, NOBODY) != text}
    assert changed <= {"See case report on www.medistim.com"}


def test_strict_keeps_the_vocabulary():
    assert (
        clean("SMITH T2 AX 5mm W/ CONTRAST foo 4711 at 120 kV", WHO, strict=True) == "T2 AX 5mm W/ CONTRAST at 120 kV"
    )
    assert clean("XyZzy", WHO, strict=True) == ""
    for text in ("T2W_TSE AX 5mm", "L-SPINE W/ CONTRAST 120kV 200mAs", "T1_MPRAGE_SAG_P2_ISO_1.0", "Thorax 1.0 B60f"):
        assert clean(text, WHO, strict=True) == text


@pytest.mark.parametrize(
    "text", ["у Щербаковой thorax", "Щербакову thorax", "с Щербаковыми thorax", "ЩЕРБАКОВА thorax"]
)
def test_names_in_other_cases(text: str) -> None:
    assert "thorax" in clean(text, Identifiers(names=["Щербакова^Ольга"]))
    assert "ербак" not in clean(text, Identifiers(names=["Щербакова^Ольга"])).lower()


@pytest.mark.parametrize("text", ["pani Wiśniewolskiej kolano", "Wisniewolską kolano", "dla Małgorzaty kolano"])
def test_latin_names_in_other_cases(text: str) -> None:
    left = clean(text, Identifiers(names=["Wiśniewolska^Małgorzata"]))
    assert "kolano" in left
    assert "niewol" not in left
    assert "gorz" not in left


@pytest.mark.parametrize("text", ["Tanner T2 AX", "W/O Tanner", "Tanner 3T"])
def test_single_letters_are_initials_only_alone(text: str) -> None:
    who = Identifiers(names=["Tanner^Theodora", "Tanner^Olga", "Tanner^Wilhelmina"])
    assert clean(text, who) == text.replace("Tanner", "").strip()


def test_the_value_fits_its_vr():
    assert clean("a\\b\x00c\nd x", WHO, vr="LO") == "a b c d x"
    assert clean("knee\r\nMüller\tleft", WHO, vr="LT") == "knee\r\n left"


@pytest.mark.parametrize(("text", "vr"), [("JPEG 2000 COMPRESSION", "CS"), ("brain " * 10 + "left", "SH")])
def test_what_describes_stays_whole_where_it_is_too_long_for_its_vr(text: str, vr: str) -> None:
    assert clean(text, WHO, vr=vr) == text
    assert clean("Müller " + text, WHO, vr=vr) == text


def test_without_a_vr_a_text_has_no_limit():
    assert clean("knee " * 20 + "Müller\\\nleft", WHO) == "knee " * 20 + "\\\nleft"


def test_a_text_that_is_harmless_is_the_same_object():
    text = "".join(["T2 ", "AX"])
    assert clean(text, WHO) is text


@pytest.mark.parametrize("day", [date(1970, 1, 2), date(1999, 12, 31), date(2024, 2, 29), date(1950, 10, 10)])
def test_every_spelling_of_a_date_is_found(day: date) -> None:
    assert len(spellings(day)) > 30
    for text in spellings(day):
        whole = [(0, len(fold(text)[0]))]
        for folded in (fold(text)[0], fold(text.upper())[0]):
            assert whole[0] in list(find_known_dates(folded, frozenset({day}))), text
        assert clean(f"x {text} y", Identifiers(dates=[day])).split() == ["x", "y"], text


def test_dates_that_are_not_known_are_no_matches():
    assert not list(find_known_dates("20190305", frozenset({date(2019, 3, 4)})))
    assert list(find_dates("20190305"))


@pytest.mark.parametrize(
    ("name", "terms"),
    {
        "Buc^Jérôme": ("ISO_IR 100",),
        "Äneas^Rüdiger": ("ISO_IR 100",),
        "Διονυσιος^Νικος": ("ISO_IR 126",),
        "Люкceмбypг^Иван": ("ISO_IR 144",),
        "قباني^لنزار": ("ISO_IR 127",),
        "שרון^דבורה": ("ISO_IR 138",),
        "Hong^Gildong=洪^吉洞=홍^길동": ("", "ISO 2022 IR 149"),
        "Yamada^Tarou=山田^太郎=やまだ^たろう": ("", "ISO 2022 IR 87"),
        "Wang^XiaoDong=王^小东": ("GB18030",),
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎": ("ISO_IR 13", "ISO 2022 IR 87"),
    }.items(),
)
def test_names_in_every_character_set(name: str, terms: tuple[str, ...]) -> None:
    charset = charset_for(terms)
    who = Identifiers(names=charset.decode_values(charset.encode(name), "PN")[0])
    for group in name.split("="):
        family, given = group.split("^")
        for text in (f"{family} {given}", f"{given} {family}", group, f"{family}{given}", f"{family}, {given}"):
            for one in (text, text.upper(), text.lower()):
                assert clean(f"{one} CT", who) == "CT", one
                assert clean(f"CT {one}", who) == "CT", one


@pytest.mark.parametrize("text", ["Lyudmila Zhavoronkova", "ZHAVORONKOVA, L.", "liudmila", "Ljudmila Jaworonkowa"])
def test_names_transcribed(text: str) -> None:
    assert clean(f"CT {text}", Identifiers(names=["Жаворонкова^Людмила"])) == "CT"


def test_matches_tells_places_and_no_patterns():
    assert matches("CT of Müller, 2019-03-04, MRN 1", WHO) == [(6, 12), (14, 24)]
    assert matches("Mr Smith, 2001-01-01", WHO) == []


LETTERS = string.ascii_letters + "äöüéñçßøłŠДмитрийΩλ"
NAMES = st.text(LETTERS, min_size=4, max_size=9).filter(lambda name: not common_words() & set(words_of(name)))
NUMBERS = st.text(string.digits + "ABCX", min_size=5, max_size=10).filter(lambda text: any(map(str.isdigit, text)))
DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))
PIECES = st.sampled_from([" ", "_", "-", ", ", "^", "/", "; ", " - "])
SAFE = st.lists(st.sampled_from("AX SAG COR T2 FLAIR head CT MR 5mm brain w/o contrast".split()), max_size=4)  # noqa: SIM905


@settings(max_examples=400, deadline=None)
@given(st.tuples(NAMES, NAMES), NUMBERS, DAYS, SAFE, SAFE, PIECES, PIECES, st.data())
@example(("Abcd", "Efgh"), "12345", date(2000, 1, 1), [], [], " ", " ", None)
def test_no_identifier_survives(name, number, day, before, after, first, second, data):
    who = Identifiers(names=["^".join(name)], ids=[number], dates=[day])
    spelled = [*name, " ".join(name), f"{name[1]} {name[0]}", "".join(name), number, *spellings(day)]
    hidden = data.draw(st.sampled_from(spelled)) if data else spelled[0]
    hidden = data.draw(st.sampled_from([hidden, hidden.lower(), hidden.upper()])) if data else hidden
    text = " ".join(before) + first + hidden + second + " ".join(after)
    assume(not (second in "-/" and after[:1] == ["5mm"] and 5 in (day.month, day.day)))  # "2000-5" is of that date, too
    left = clean(text, who, vr="UT")
    whole, rest = ["".join(words_of(one)) for one in (hidden, left)]
    assert whole not in rest, (text, left)
    assert clean(left, who, vr="UT") == left
    for word in words_of(" ".join([*before, *after])):
        assert word in words_of(left), (text, left)


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=80), st.booleans(), st.sampled_from(["LO", "LT", "SH"]))
@example("1.2.3.4.5 Müller-12 Main Street (555) 123-4567", False, "LO")
@example("123-Müller45-6789", False, "LO")
def test_cleaning_again_changes_nothing(text, strict, vr):
    once = clean(text, WHO, strict=strict, vr=vr)
    assert clean(once, WHO, strict=strict, vr=vr) == once
    assert len(once) <= len(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(sorted(common_words())), min_size=1, max_size=6))
def test_words_of_the_vocabulary_stay(words):
    text = " ".join(words)
    assume(not {"by", "dr", "mr", "ms", "patient", "name"} & set(words))
    assert clean(text, Identifiers(names=["Smith^John"]), vr="UT") == text
    assert all(map(is_plain, words))


def test_a_name_of_many_words() -> None:
    """A name as long as an element allows; its words are not put in every order."""
    known = Identifiers(names=[" ".join(f"Name{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
    assert clean("seen by NameA NameZ", known) == "seen by"
