"""People and studies of the de-identification set: made up, in several scripts, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from random import Random
from typing import NamedTuple


class Named(NamedTuple):
    """A name as it is encoded, the character sets that it needs, and how it may be spelled in other texts."""

    name: str
    charset: tuple[str, ...]
    family: tuple[str, ...]
    given: tuple[str, ...]


NAMES = (
    Named("Quillfeather^Xanthippe^Rose", (), ("Quillfeather",), ("Xanthippe",)),
    Named("Müßigbrodt^Jürgen", ("ISO_IR 100",), ("Müßigbrodt", "Muessigbrodt"), ("Jürgen", "Juergen")),
    Named("Жаворонкова^Людмила", ("ISO_IR 144",), ("Жаворонкова", "Zhavoronkova"), ("Людмила", "Lyudmila")),
    Named(
        "Yamashiro^Fumiko=山城^文子=やましろ^ふみこ",
        ("", "ISO 2022 IR 87"),
        ("Yamashiro", "山城", "やましろ"),
        ("Fumiko", "文子"),
    ),
    Named("Namgoong^Seonwoo=南宮^善祐=남궁^선우", ("", "ISO 2022 IR 149"), ("Namgoong", "남궁"), ("Seonwoo", "선우")),
    Named("Παπαδιαμάντης^Ορέστης", ("ISO_IR 126",), ("Παπαδιαμάντης", "Papadiamantis"), ("Ορέστης", "Orestis")),
    Named("Ouyang^Mingxia=歐陽^明霞", ("ISO_IR 192",), ("Ouyang", "歐陽"), ("Mingxia", "明霞")),
    Named("O'Shaughnessy-Brand^Niamh^^Dr", ("ISO_IR 6",), ("O'Shaughnessy-Brand",), ("Niamh",)),
)
STAFF = (
    "Okonkwo^Bertrand", "Thistlewood^Imogen", "Vandersluys^Corneel", "Abernethy^Phineas", "Castellanos^Remedios",
    "Drummondson^Ailsa", "Featherstone^Lucian", "Grzegorczyk^Halina", "Hallgrimsson^Snorri", "Iribarren^Maite",
)  # fmt: skip
INSTITUTIONS = ("Saint Brannoc Infirmary", "Klinikum Oberwiesental", "Larkmoor General", "Hospital Vallehondo")
STREETS = ("Tamarind Crescent", "Osterloher Weg", "Pepperbox Lane", "Calle Sietepicos")
TOWNS = ("Wexcombe", "Oberwiesental", "Larkmoor", "Vallehondo")


class Person(NamedTuple):
    """One patient, and the one study that the set has of them."""

    number: int
    named: Named
    id: str
    other_id: str
    birth: date
    sex: str
    age: str
    phone: str
    mail: str
    address: str
    study_date: date
    accession: str
    institution: str
    department: str
    staff: tuple[str, ...]
    serial: str
    station: str
    study_uid: str
    frame_of_reference: str

    @property
    def latin(self) -> str:
        """The family name in letters that any character set and any font has."""
        return next(one for one in reversed(self.named.family) if one.isascii() or one == self.named.family[0])

    @property
    def latin_given(self) -> str:
        return next(one for one in reversed(self.named.given) if one.isascii())

    @property
    def spelled(self) -> tuple[str, ...]:
        """The family name as Patient's Name has it, once a group."""
        return tuple(one for one in self.named.family if one in self.named.name)

    @property
    def names(self) -> tuple[str, ...]:
        """Every spelling of the family name, and of the given name."""
        return self.named.family + self.named.given

    @property
    def identifiers(self) -> tuple[str, ...]:
        """What shall be found nowhere in a file."""
        said = (self.id, self.other_id, self.phone, self.mail, self.address, self.accession, self.serial)
        surnames = tuple(one.split("^")[0] for one in self.staff)
        return self.named.family + said + (self.institution,) + surnames


def people(seed: int, count: int, uid: UidMaker) -> list[Person]:
    """The first `count` patients of a seed."""
    random = Random(seed)
    return [_person(random, number, uid) for number in range(count)]


class UidMaker:
    """UIDs of the set, one after another; `root` is one that no registered UID has."""

    root = "1.3.6.1.4.1.5962.99.2077"

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._count = 0

    def __call__(self) -> str:
        self._count += 1
        return f"{self.root}.{self._count}.{self._random.randrange(10**11, 10**12)}"


def _person(random: Random, number: int, uid: UidMaker) -> Person:
    named = NAMES[number % len(NAMES)]
    studied = date(2019, 1, 5) + timedelta(days=random.randrange(1200))
    old = number % 4 == 3
    years = random.randrange(91, 99) if old else random.randrange(21, 80)
    place = number % len(INSTITUTIONS)
    letters = "".join(random.choice("BCDFGHKLMNPRSTVWXZ") for _ in range(2))
    return Person(
        number=number,
        named=named,
        id=f"{letters}{random.randrange(10**7, 10**8)}",
        other_id=f"{random.randrange(10**8, 10**9)}",
        birth=date(studied.year - years, random.randrange(1, 13), random.randrange(1, 28)),
        sex="FM"[number % 2],
        age=f"{years:03}Y",
        phone=f"+49 30 55{random.randrange(10**5, 10**6)}",
        mail=f"{random.choice('abcdefgh')}.{random.randrange(10**5, 10**6)}@mail.example",
        address=f"{random.randrange(11, 99)} {STREETS[place]}, {TOWNS[place]}",
        study_date=studied,
        accession=f"ACC{random.randrange(10**6, 10**7)}",
        institution=INSTITUTIONS[place],
        department=f"Radiology Annex {random.randrange(100, 999)}",
        staff=tuple(random.sample(STAFF, 6)),
        serial=f"SN{random.randrange(10**6, 10**7)}",
        station=f"STN{random.randrange(10**4, 10**5)}",
        study_uid=uid(),
        frame_of_reference=uid(),
    )


MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip


def spellings(day: date) -> list[str]:
    """A date as people write it."""
    month = MONTHS[day.month - 1]
    return [
        f"{day.day:02}.{day.month:02}.{day.year}",
        f"{day.month:02}/{day.day:02}/{day.year}",
        f"{day.year}-{day.month:02}-{day.day:02}",
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{day.day:02}-{month[:3].upper()}-{day.year}",
        f"{day.year}/{day.month:02}/{day.day:02}",
        f"{day.year}{day.month:02}{day.day:02}",
        f"{day.day}{month[:3]}{day.year}",
        f"{day.day:02}/{day.month:02}/{day.year}",
    ]


def da(day: date) -> str:
    """A date as DA."""
    return f"{day.year:04}{day.month:02}{day.day:02}"


def pn(names: Iterable[str]) -> str:
    return "\\".join(names)
