# ruff: noqa: SIM905 -- words are listed as text
"""Descriptions cleaned: what identifies somebody is cut out of a text, what describes images and findings stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dicomcore.deid.date_texts import MONTHS, find_dates, find_known_dates
from dicomcore.deid.folding import WORD, fold
from dicomcore.deid.identifiers import Identifiers
from dicomcore.deid.matching import SHORTEST_PART, Matcher, matcher_for
from dicomcore.deid.vocabulary import UNITS, common_words, is_plain

__all__ = ["clean", "matches"]

_KEPT = 4096  # texts that are kept beside what they became
_LINES = ("ST", "LT", "UT", "")
_Span = tuple[int, int]
_Word = tuple[str, int, int]  # and where it begins and ends

_TITLES = frozenset(
    """dr drs doctor doktor mr mrs ms miss mister prof professor herr frau mme mlle monsieur madame sra srta sig dott
    dottssa dra pt patient pat name nom nome nombre by physician radiologist operator tech technologist technician
    nurse referrer ref attending signed radiographer sonographer surgeon pathologist cardiologist anesthesiologist
    resident fellow per von par por da door md phd frcr frcpc arzt medecin medico mtra cc attn
    discussed spoke spoken conferred consulted rn""".split()
)
_RECORDS = frozenset(
    """mrn mrno acc accession pid id ids no nr num number ssn nhs case record rec chart hosp hospital study exam order
    visit encounter tel phone fax mobile cell telephone pager ext call uid""".split()
)
_SIGNS = re.compile(
    r"m\.d|rt ?\(r|\d(?:\d{3}|[-/. ]\d+[-/. ]\d)|[@年月년월]|/(?=/)|w(?=ww\.)|[\da-f]{2}([:-])[\da-f]{2}\1[\da-f]{2}\1"
)
_ASCII_WORD = re.compile(r"[a-z]+|\d+")
_NUMBERS = re.compile(r"\d\d|\d[-/. ]\d|@|//|www\.|[年月년월]|[\da-f]([:-])[\da-f]{2}\1")
_EMPTY = re.compile(r"[\W_]*")

_WEB = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*|(?:https?|ftp)://\S+|www\.\S+|(?<![\d.])\d+(?:\.\d+){6,}(?![\d.])")
_UID = re.compile(r"(?<![\d.])[012]\.\d+(?:\.\d+){2,}(?![\d.])")
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_NET = re.compile(  # IPv4 and MAC addresses
    rf"(?<![\d.]){_BYTE}(?:\.{_BYTE}){{3}}(?::\d{{1,5}})?(?![\d.]*\d)"
    r"|(?<![\w:-])[\da-f]{2}([:-])[\da-f]{2}(?:\1[\da-f]{2}){4}(?:\1[\da-f]{2}\1[\da-f]{2})?(?![\w:-])"
)
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_PHONE = re.compile(
    r"(?<![\w.])(?:\+\d{1,3}[\s.-]?)?\(\d{2,5}\)[\s.-]?\d{2,4}(?:[\s.-]?\d{2,4}){1,3}(?!\d)"
    r"|(?<!\w)\+\d{1,3}(?:[\s./-]?\d{1,4}){2,5}(?!\d)"
    r"|(?<![\d.])\d{3}[-. ]\d{3}[-. ]\d{4}(?!\d)"
    r"|(?<![\d.-])\d{3}-\d{4}(?![\d-])"
    r"|(?<![\d.])0\d{2,4}[-/ ]\d{3,}(?:[-/ ]?\d{2,}){0,2}(?!\d)"
    r"|(?<![a-z])(?:tel|phone|fax|mobile|cell|telephone|pager|ext|call)\b[.:\s]{0,3}[+\d(][\d\s()./-]{2,}\d"
)
_RECORD = re.compile(
    r"(?<![a-z])(?:mrn|mr\s?#|m\.r\.n\.|acc(?:ession)?|pid|id|ssn|nhs|case|(?:medical\s)?record|chart|hosp(?:ital)?|study"
    r"|exam|order|visit|encounter|pat(?:ient)?(?:'s)?|pt)[\s._-]*(?:id|no|nr|num|number|#|n[°ºo])?[.\s]*[:#=_-]?\s*"
    r"(?P<number>[a-z]{0,4}[-_]?\d(?:[\w/-]*\w)?)"
)
_SURE_RECORD = re.compile(r"mrn|#|m\.r\.n|acc|pid|ssn|nhs|record|chart|\b(?:id|no|nr|num|number)\b|n[°ºo]|[:=]")
_LONG_NUMBER = re.compile(r"(?<![\d.])\d{7,}(?![\d]|\.\d)")
_AFTER_NAME = re.compile(
    r"(?<![^\W\d_])(?P<title>dr|drs|doctor|doktor|mr|mrs|ms|miss|mister|prof|professor|herr|frau|mme|mlle|monsieur|madame|sra"
    r"|srta|sig|dott|dottssa|dra)(?P<dot>\.?)[\s_^]+(?=[^\W\d_])"
)
_PER = re.compile(
    r"(?:^|(?<=[\n;:(/]))[\s_]*(?:as[\s_]+)?per[\s_]+(?P<name>[^\W\d_]+(?:['’-][^\W\d_]+)*)(?=\s*(?:[,;.)\n]|$))"
)
_PLACE = re.compile(
    r"(?<![^\W\d_])(?:(?P<role>(?:technologist|technician|radiologist|radiographer|sonographer|nurse|surgeon|pathologist"
    r"|cardiologist|anesthesiologist|physician|attending|resident|fellow|tech|mtra|arzt|medecin|medico)[\s_]+"
    r"|(?:read|reread|over-?read|signed|dictated|reviewed|requested|ordered|repeated|approved|verified|reported|cancelled)"
    r"[\s_]+per[\s_]+"  # not what is done per a drug or a firm
    r"|(?:discussed|spoke|spoken|reviewed|consulted|conferred)[\s_]+with[\s_]+"
    r"|(?:gelesen|befundet|durchgefuhrt|durchgefuehrt|untersucht|uberwiesen|ueberwiesen|angefordert|freigegeben|diktiert)"
    r"[\s_]+von[\s_]+"
    r"|(?:re)?(?:lu|signe|dicte|demande|prescrit|interprete|valide|realise|adresse)e?[\s_]+par[\s_]+"
    r"|(?:leido|firmado|dictado|solicitado|realizado|informado|revisado|validado|lido|laudado|assinado)a?[\s_]+por[\s_]+"
    r"|(?:letto|firmato|refertato|eseguito|richiesto|validato)[\s_]+da[\s_]+"
    r"|(?:gelezen|beoordeeld|aangevraagd|uitgevoerd)[\s_]+door[\s_]+)|(?:patient(?:'?s)?(?:[\s_]+name)?|pt|pat|name|nom|nome|nombre|physician|radiologist|operator|tech"
    r"|technologist|technician|nurse|referrer|ref|attending|signed|cc|attn)[\s_]*[:=][\s_]*"
    r"|(?:referred|read|reread|over-?read|signed|cosigned|performed|reported|dictated|seen|reviewed|requested|ordered"
    r"|scanned|done|approved|verified|checked|transcribed|typed|interpreted|entered|injected|administered|uploaded"
    r"|supervised|prepared|authorized|authorised|validated|confirmed|examined|evaluated|consented|edited|repeated"
    r"|cancelled|canceled|cleared|screened|positioned|imaged|exam|scan)[\s_]+by[\s_:]+)"
    r"(?=[^\W\d_])"
)
_CREDENTIALS = re.compile(
    r"(?<![^\W\d_])(?P<name>[^\W\d_]+(?:['’-][^\W\d_]+)*)"
    r"(?:,?[\s_]+(?:m\.d\.?|ph\.?d|frcr|frcpc)|,[\s_]*(?:md|rn|rt[\s_]?\(r\)))(?![^\W_])"
)
_LAST_WORDS = re.compile(r"(?<![^\W\d_])(?P<name>[^\W\d_]+(?:['’-][^\W\d_]+)*)\.?[\s,^_]{1,2}\Z")
_NEXT_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BETWEEN = re.compile(r"[\s,.^_-]{1,3}(?=[^\W\d_])")
_GAP = re.compile(r"[\s^,._'’`´=/\\+&-]{0,4}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_LINE = re.compile(r"[\t\n\r\f\\]")
_TOKEN = re.compile(r"[^\W_]+(?:[.,]\d+[^\W_]*)*")
_SYMBOL = re.compile(r"[%°+]")


def clean(text: str, identifiers: Identifiers, *, strict: bool = False, patterns: bool = True, vr: str = "") -> str:
    """Cut what identifies somebody out of one value.

    Cut are the names, numbers, dates and places in `identifiers`, in any spelling, and what has the form of a date, a
    telephone number, an address in the net, a record number or a name behind a title. Words of the vocabulary that are
    also somebody's name stay unless they stand as a name does. Cleaning a cleaned text changes nothing.

    Parameters
    ----------
    text : str
        One value; a text of several values is divided before.
    identifiers : Identifiers
        What is known of the patient, the study and the staff; see `gather`.
    strict : bool
        Keep only words of the vocabulary, and small numbers with or without units.
    patterns : bool
        Cut also what only has the form of an identifier; of codes, which may be long numbers, nothing but identifiers
        themselves should go.
    vr : str
        The result fits this VR in which control characters it has; without one lines stay. It is never longer than
        `text`, whose length is not looked at: what describes an image stays whole where it is too long.

    Returns
    -------
    str
        The text itself if nothing was cut; empty if nothing is left.
    """
    matcher = _matcher_of(identifiers)
    key = text, strict, patterns, vr
    known = matcher.known.get(key)
    if known is not None:
        return known
    made = _fit(text, vr)
    while strict or not _is_harmless(made, matcher):
        cut = _cut(made, matcher) if patterns else _without(made, _matches(made, matcher))
        if strict:
            cut = _only_plain(cut)
        if cut == made:
            break
        made = cut  # shorter, but what is cut may have joined its neighbours to something else
    if len(matcher.known) < _KEPT:
        matcher.known[key] = made
    return made


def matches(text: str, identifiers: Identifiers) -> list[_Span]:
    """(start, stop) of the identifiers themselves in a text, without what only has the form of one."""
    return _matches(text, _matcher_of(identifiers))


def _matcher_of(identifiers: Identifiers) -> Matcher:
    matcher = identifiers._matcher
    if matcher is None:
        matcher = matcher_for(identifiers.textual)
        object.__setattr__(identifiers, "_matcher", matcher)
    return matcher


def _matches(text: str, matcher: Matcher) -> list[_Span]:
    if _is_harmless(text, matcher):
        return []
    folded, places = fold(text)
    words = [(match[0], match.start(), match.end()) for match in WORD.finditer(folded)]
    spans = [*_known(folded, words, matcher), *find_known_dates(folded, matcher.dates)]
    return _joined(_original(spans, places) if places else spans)


def _fit(text: str, vr: str) -> str:
    if not text.isprintable():
        text = _CONTROL.sub(" ", text.rstrip("\0"))  # what a NUL ends for one reader goes on for others
        if vr not in _LINES:
            text = _LINE.sub(" ", text)
    elif "\\" in text and vr not in _LINES:
        text = text.replace("\\", " ")
    return text


def _is_harmless(text: str, matcher: Matcher) -> bool:
    """Whether a quick look tells that nothing is to be cut."""
    if text.isascii():
        folded = text.lower()
        words = _ASCII_WORD.findall(folded)
    else:
        folded = fold(text)[0]
        words = WORD.findall(folded)
        if any(stem in folded for stem in matcher.wide_stems):
            return False
    if not (_TRIGGERS.isdisjoint(words) and matcher.words.isdisjoint(words)) or _SIGNS.search(folded):
        return False
    for some in (matcher.plain_stems, matcher.compact):
        for one in some:
            if one in folded:
                return False
    return True


_TRIGGERS = _TITLES | _RECORDS | frozenset(MONTHS)


def _cut(text: str, matcher: Matcher) -> str:
    folded, places = fold(text)
    words = [(match[0], match.start(), match.end()) for match in WORD.finditer(folded)]
    spans = list(_known(folded, words, matcher))
    if _NUMBERS.search(folded) or any(word in MONTHS for word, _, _ in words):
        spans += find_dates(folded, matcher.dates)
        spans += _patterns(folded)
    if "m.d" in folded or "(r" in folded or any(word in _TITLES for word, _, _ in words):
        spans += _with_credentials(text, folded, places)
        spans += _behind_per(text, folded, places)
        spans += _named(text, folded, places, matcher)
    if not spans:
        return text
    if places:
        spans = _original(spans, places)
    return _without(text, _joined(spans))


def _original(spans: list[_Span], places: list[int]) -> list[_Span]:
    """Where stretches of a folded text are in the text itself, with the marks on their last letters."""
    return [(places[start], max(places[stop], places[stop - 1] + 1)) for start, stop in spans]


def _joined(spans: list[_Span]) -> list[_Span]:
    """Sorted, and those that overlap made one."""
    made: list[_Span] = []
    for start, stop in sorted(spans):
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(stop, made[-1][1]))
        else:
            made.append((start, stop))
    return made


_SEPARATORS = frozenset("_-/,;:^=&+")
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">", '"': '"', "'": "'"}
_BLANKS = " \t"
_ENDS = re.compile(r"^[\s_,;:/^=.&+'’-]+|[\s_,;:/^=&+'’-]+$")


def _without(text: str, spans: list[_Span]) -> str:
    if not spans:
        return text
    made, at = "", 0
    for start, stop in spans:
        made = _join(made, text[at:start]) if at else text[:start]
        at = stop
    made = _ENDS.sub("", _join(made, text[at:]))
    return "" if _EMPTY.fullmatch(made) else made


def _join(left: str, right: str) -> str:
    """Two texts between which something was cut, without what separated that from them."""
    blank = " " if left[-1:] in _BLANKS or right[:1] in _BLANKS else ""
    left, right = left.rstrip(_BLANKS), right.lstrip(_BLANKS)
    while left and right and _BRACKETS.get(left[-1]) == right[0]:
        left, right = left[:-1].rstrip(_BLANKS), right[1:].lstrip(_BLANKS)
    if left and right and left[-1] in _SEPARATORS and right[0] in _SEPARATORS:
        right = right[1:].lstrip(_BLANKS)
    if not left or not right or right[0] in ",;:":
        return left + right
    if left[-1] in _SEPARATORS or right[0] in _SEPARATORS:
        return left + blank + right
    return f"{left} {right}"


def _known(folded: str, words: list[_Word], matcher: Matcher) -> Iterator[_Span]:
    """The identifiers of the matcher but dates."""
    for number, (word, _, _) in enumerate(words):
        for place, phrase in matcher.phrases.get(word, ()):
            first = number - place
            stop = _phrase_end(folded, words, first, phrase) if first >= 0 else 0
            if stop:
                yield words[first][1], stop
    for stem in matcher.wide_stems if not folded.isascii() else ():
        for at in _places_of(stem, folded):
            yield at, at + len(stem)
    for stem in matcher.plain_stems:
        for at in _places_of(stem, folded):
            yield from _around(folded, at, at + len(stem))
    if matcher.compact:
        yield from _numbers(folded, matcher)


def _places_of(part: str, text: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _phrase_end(folded: str, words: list[_Word], number: int, phrase: tuple[str, ...]) -> int:
    """Where a phrase ends that begins with a word; 0 if the words are others."""
    if len(words) - number < len(phrase):
        return 0
    for place, wanted in enumerate(phrase, number):
        if words[place][0] != wanted:
            return 0
        if place > number and not _GAP.fullmatch(folded, words[place - 1][2], words[place][1]):
            return 0
    start, stop = words[number][1], words[number + len(phrase) - 1][2]
    before, behind = folded[max(start - 1, 0) : start], folded[stop : stop + 1]
    if (len(phrase[0]) == 1 and _is_part(before)) or (len(phrase[-1]) == 1 and _is_part(behind)):
        return 0
    if len(phrase[-1]) == 1 and folded[stop : stop + 1] == ".":  # of an initial
        return stop + 1
    return stop + 2 if folded[stop : stop + 2] in ("'s", "’s") else stop


def _is_part(beside: str) -> bool:
    """Whether a letter beside this is no initial, as in "w/o" and "T2"."""
    return beside == "/" or beside.isalnum()


def _around(folded: str, start: int, stop: int) -> Iterator[_Span]:
    """The whole word around a stem, unless the vocabulary has it."""
    while start and folded[start - 1].isalpha():
        start -= 1
    while stop < len(folded) and folded[stop].isalpha():
        stop += 1
    if folded[start:stop] not in common_words():
        yield start, stop


def _numbers(folded: str, matcher: Matcher) -> Iterator[_Span]:
    """Numbers with or without spaces, hyphens and dots between their digits."""
    at = [place for place, letter in enumerate(folded) if letter.isalnum()]
    compact = "".join([folded[place] for place in at])
    for number in matcher.compact:
        for first in _places_of(number, compact):
            last = first + len(number) - 1
            if _is_number(folded, at, first, last, number):
                yield at[first], at[last] + 1


def _is_number(folded: str, at: list[int], first: int, last: int, number: str) -> bool:
    start, stop = at[first], at[last] + 1
    if len(number) < SHORTEST_PART and number.isdecimal():  # as in "b1000"
        around = folded[max(start - 1, 0) : start] + folded[stop : stop + 1]
        return stop - start == len(number) and not any(map(str.isalnum, around))
    for edge, beside in ((start, start - 1), (stop - 1, stop)):
        if 0 <= beside < len(folded) and (
            (folded[beside].isdecimal() and folded[edge].isdecimal())
            or (folded[beside].isalpha() and folded[edge].isalpha())
        ):
            return False
    if stop - start == len(number):
        return True
    gaps = [at[place + 1] - at[place] for place in range(first, last)]
    return len(number) > 5 and max(gaps) <= 2 and sum(gap > 1 for gap in gaps) <= max(3, len(number) // 2)


def _patterns(folded: str) -> Iterator[_Span]:
    """What has the form of an identifier, whoever it belongs to."""
    for pattern in (_WEB, _UID, _NET, _SSN, _LONG_NUMBER):
        for match in pattern.finditer(folded):
            yield match.span()
    for match in _PHONE.finditer(folded):
        if match[0][0].isalpha() or sum(map(str.isdecimal, match[0])) > 6:
            yield match.span()
    for match in _RECORD.finditer(folded):
        number = match["number"]
        said = match[0][: match.start("number") - match.start()]
        digits = sum(letter.isdecimal() for letter in number)
        if digits >= (2 if _SURE_RECORD.search(said) else 5) and number not in UNITS:
            yield match.span("number") if not _SURE_RECORD.search(said) else match.span()


_WEAK = frozenset({"mr", "ms", "dr", "sig"})


def _named(text: str, folded: str, places: list[int] | None, matcher: Matcher) -> Iterator[_Span]:
    """Names that stand where only a name does: behind a title, or behind "patient:"."""
    common = common_words()
    for pattern in (_AFTER_NAME, _PLACE):
        for match in pattern.finditer(folded):
            title = match["title"] if pattern is _AFTER_NAME else ""
            role = pattern is _PLACE and match["role"] is not None
            strong = pattern is _PLACE or _is_strong(text, match, places)
            at, count = match.end(), 0
            while count < 3:
                word = _NEXT_WORD.match(folded, at)
                if word is None:
                    break
                known = word[0] in matcher.positional
                first = text[places[at] if places else at]
                capital = first.isupper() or not first.islower()
                plain = word[0] in common
                if role and not _is_name(text, places, word):
                    break
                named = strong and capital and (not plain or (count == 0 and bool(title) and match["dot"] == "."))
                weak = not strong and title == "dr" and not plain and len(word[0]) > 2
                if not (known or named or weak):
                    break
                count += 1
                at = word.end()
                gap = _BETWEEN.match(folded, at)
                if gap is None:
                    break
                at = gap.end()
            if count:
                yield match.start() if title and strong else match.end(), at


def _with_credentials(text: str, folded: str, places: list[int] | None) -> Iterator[_Span]:
    """Names in front of a degree, with the degree and the word before that is written as a name is, too."""
    common = common_words()
    for match in _CREDENTIALS.finditer(folded):
        start = match.start()
        if not _is_name_at(text, places, start) or match["name"] in common:
            continue
        for word in _LAST_WORDS.finditer(folded, max(start - 40, 0), start):
            if _is_name_at(text, places, word.start()) and word["name"] not in common:
                start = word.start()
        yield start, match.end()


_NO_PEOPLE = frozenset(
    """siemens philips toshiba canon hitachi fujifilm agfa carestream hologic shimadzu samsung mindray omnipaque isovue
    visipaque ultravist optiray iomeron gadavist gadovist magnevist dotarem clariscan multihance prohance eovist
    primovist omniscan feraheme lumason definity fleischner bosniak lugano deauville choi cheson gleason recist baker
    kellgren pfirrmann salter ficat outerbridge stanford debakey simpson teichholz hadlock bazett""".split()
)
"""Behind "per": firms, contrast agents, and those after whom criteria are called."""


def _behind_per(text: str, folded: str, places: list[int] | None) -> Iterator[_Span]:
    """A name that is all behind "per", at the beginning of a text or of a part of it: "per Smith, pain"."""
    common = common_words()
    for match in _PER.finditer(folded):
        if not _is_name_at(text, places, match.start("name")):
            continue
        if match["name"] not in common and match["name"] not in _NO_PEOPLE:
            yield match.span("name")


_ROLES = frozenset({"practitioner", "assistant"})


def _is_name(text: str, places: list[int] | None, word: re.Match[str]) -> bool:
    """Whether a word behind somebody's role is written as a name is; in capitals alone nothing is told from a name."""
    return _is_name_at(text, places, word.start()) and word[0] not in _ROLES


def _is_name_at(text: str, places: list[int] | None, at: int) -> bool:
    start = places[at] if places else at
    return text[start].isupper() and text[start + 1 : start + 2].islower()


def _is_strong(text: str, match: re.Match[str], places: list[int] | None) -> bool:
    """Whether a title is one: not DR, MR and MS, which are modalities."""
    if match["title"] not in _WEAK or match["dot"]:
        return True
    start = places[match.start()] if places else match.start()
    return text[start].isupper() and text[start + 1].islower()


def _only_plain(text: str) -> str:
    """What the vocabulary has of a text, and numbers that belong to it."""
    folded, places = fold(text)
    spans = []
    tokens = list(_TOKEN.finditer(folded))
    for number, match in enumerate(tokens):
        token = match[0]
        behind = tokens[number + 1][0] if number + 1 < len(tokens) else ""
        if is_plain(token) or (token.isdecimal() and len(token) == 4 and behind in UNITS):
            continue
        spans.append(match.span())
    if not spans:
        return text
    if places:
        spans = _original(spans, places)
    return _without(text, _joined(spans))
