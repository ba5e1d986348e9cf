"""Plan: what becomes of each element, decided before the first file is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from dicomcore._native.deid.rules import Rules
from dicomcore.deid.keys import Key
from dicomcore.deid.mapping import Mapping as Maps
from dicomcore.deid.marking import Marks, marks_of
from dicomcore.deid.profile import EDITION, OPTIONS, rules_of
from dicomcore.dictionary import dictionary_VR, tag_for_keyword
from dicomcore.tags import Tag

__all__ = ["Plan"]

Action = str | Callable[[Any], Any]
FULL, MODIFIED = "retain_longitudinal_full_dates", "retain_longitudinal_modified_dates"
ACTIONS = frozenset("XZDKUCP")


class Plan:
    """The Basic Application Level Confidentiality Profile with a choice of its options (PS3.15 E.2, E.3).

    A plan does not change, and threads and processes may share it. It raises at once for what would fail with every
    file, so that no file is written before.

    Parameters
    ----------
    options : iterable of str
        Names of options: ``retain_uids``, ``retain_device_identity``, ``retain_institution_identity``,
        ``retain_patient_characteristics``, ``retain_longitudinal_full_dates``, ``retain_longitudinal_modified_dates``,
        ``retain_safe_private``, ``clean_descriptors``, ``clean_structured_content``, ``clean_graphics``,
        ``clean_pixel_data``, ``clean_recognizable_visual_features``. The last one is a statement of the caller's, who
        has done that himself.
    key : Key, optional
        The secret that new UIDs, pseudonyms and offsets of dates depend on. Only a plan that retains UIDs and does not
        modify dates does without.
    overrides : mapping, optional
        Other actions, by keyword or tag: a letter of PS3.15 (``"X"`` remove, ``"Z"`` empty, ``"D"`` dummy, ``"K"``
        keep, ``"U"`` replace UIDs, ``"C"`` clean: dates are moved, text is cleaned), ``"P"`` for the patient's
        pseudonym, or a function of the value that returns the new one, None to remove the element.
    unknown : {"keep", "remove"}
        Whether attributes stay that neither the tables nor the IOD of the SOP class know.
    allow : iterable, optional
        What stays besides: keywords or tags, and private elements as ``(group, creator, low byte of the element)``.
    cleaner : callable, optional
        Cleans text further: a function of text that is free of the file's own identifiers, and of these `Identifiers`.
    strict : bool
        Text that is cleaned keeps only words of a vocabulary.
    safe_private : {"standard", "tcia"}
        The list of ``retain_safe_private``: Table E.3.10-1 of PS3.15, or the elements that TCIA keeps.
    window : pair of int
        The least and the greatest offset of a patient's dates, in days.
    uid_domain : {"project", "study"}
        Whether a UID becomes the same in all studies, or another one in each.
    keep_uids : iterable of str
        Roots of UIDs that stay; registered UIDs always do.
    issuers : bool
        Whether Issuer of Patient ID tells patients of the same ID apart. Some devices write it and others do not, so
        that one patient would become two.
    pseudonyms : mapping, optional
        The caller's own pseudonyms by Patient ID: at most 64 characters of ASCII.
    cap_ages : bool
        Ages over 89 years that are retained become 90.
    pixels : mapping, optional
        Options of `dicomcore.deid.pixels.clean`, for ``clean_pixel_data``.

    Raises
    ------
    ValueError
        An option, attribute or action is not known, two options exclude each other, or the key is missing.
    TypeError
        The key is not a `Key`.
    """

    __slots__ = (
        "_maps", "_marks", "_rules", "allow_private", "allow_tags", "cap_ages", "cleaner", "issuers", "keep_uids",
        "key", "options", "overrides", "pixels", "pseudonyms", "safe_private", "strict", "uid_domain", "unknown",
        "window",
    )  # fmt: skip

    options: frozenset[str]
    key: Key | None
    overrides: Mapping[int, Action]
    unknown: str
    allow_tags: frozenset[int]
    allow_private: frozenset[tuple[str, int, int]]
    cleaner: Callable[[str, Any], str] | None
    strict: bool
    safe_private: str
    window: tuple[int, int]
    uid_domain: str
    keep_uids: tuple[str, ...]
    issuers: bool
    pseudonyms: Mapping[str, str]
    cap_ages: bool
    pixels: Mapping[str, Any]
    _rules: Rules
    _maps: Maps
    _marks: tuple[Marks, Marks]

    def __init__(
        self,
        options: Iterable[str] = (),
        key: Key | None = None,
        overrides: Mapping[Any, Action] | None = None,
        *,
        unknown: Literal["keep", "remove"] = "keep",
        allow: Iterable[Any] | None = None,
        cleaner: Callable[[str, Any], str] | None = None,
        strict: bool = False,
        safe_private: Literal["standard", "tcia"] = "standard",
        window: tuple[int, int] = (-3650, -1),
        uid_domain: Literal["project", "study"] = "project",
        keep_uids: Iterable[str] = (),
        issuers: bool = False,
        pseudonyms: Mapping[str, str] | None = None,
        cap_ages: bool = True,
        pixels: Mapping[str, Any] | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "options", _checked_options(options))
        put(self, "overrides", MappingProxyType(dict(sorted(_checked_overrides(overrides or {})))))
        put(self, "key", _checked_key(key, self.options, self.overrides))
        put(self, "unknown", _one_of("unknown", unknown, ("keep", "remove")))
        put(self, "safe_private", _one_of("safe_private", safe_private, ("standard", "tcia")))
        put(self, "uid_domain", _one_of("uid_domain", uid_domain, ("project", "study")))
        tags, private = _checked_allowed(allow or ())
        put(self, "allow_tags", tags)
        put(self, "allow_private", private)
        put(self, "cleaner", cleaner)
        put(self, "strict", bool(strict))
        put(self, "window", _checked_window(window))
        put(self, "keep_uids", tuple(sorted({root.rstrip(".") for root in keep_uids})))
        put(self, "issuers", bool(issuers))
        put(self, "pseudonyms", MappingProxyType(_checked_pseudonyms(pseudonyms or {})))
        put(self, "cap_ages", bool(cap_ages))
        put(self, "pixels", MappingProxyType(dict(pixels or {})))
        put(self, "_rules", rules_of(self))
        put(self, "_maps", Maps(self))
        put(self, "_marks", (marks_of(self, pixels=False), marks_of(self, pixels=True)))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a plan does not change: make another one")

    @property
    def rules(self) -> Rules:
        """The compiled rules."""
        return self._rules

    @property
    def maps(self) -> Maps:
        """What was mapped so far."""
        return self._maps

    def marks(self, *, pixels: bool) -> Marks:
        """The elements that say what was done; `pixels`: that the pixel data was cleaned, too."""
        return self._marks[pixels]

    def keeps_uid(self, uid: str) -> bool:
        """Whether a UID is one of the roots that stay, or below one."""
        return any(uid == root or uid.startswith(root + ".") for root in self.keep_uids)

    @property
    def summary(self) -> dict[str, Any]:
        """The plan in plain values, without the key: its fingerprint is there."""
        return {
            "edition": EDITION,
            "options": sorted(self.options),
            "key": None if self.key is None else self.key.fingerprint,
            "overrides": {str(Tag(tag)): name if isinstance(name, str) else "function" for tag, name in
                          self.overrides.items()},
            "unknown": self.unknown,
            "allow": [str(Tag(tag)) for tag in sorted(self.allow_tags)] + sorted(map(str, self.allow_private)),
            "cleaner": self.cleaner is not None,
            "strict": self.strict,
            "safe_private": self.safe_private,
            "window": list(self.window),
            "uid_domain": self.uid_domain,
            "keep_uids": list(self.keep_uids),
            "issuers": self.issuers,
            "pseudonyms": len(self.pseudonyms),
            "cap_ages": self.cap_ages,
            "pixels": sorted(self.pixels),
        }  # fmt: skip

    def _state(self) -> tuple[Any, ...]:
        return (
            self.options, self.key, tuple(self.overrides.items()), self.unknown, self.allow_tags, self.allow_private,
            self.cleaner, self.strict, self.safe_private, self.window, self.uid_domain, self.keep_uids,
            self.issuers, tuple(self.pseudonyms.items()), self.cap_ages,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return self._state() == other._state() if isinstance(other, Plan) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._state())

    def __repr__(self) -> str:
        key = "no key" if self.key is None else f"key {self.key.fingerprint}"
        return f"<Plan: basic profile{''.join(f', {option}' for option in sorted(self.options))}; {key}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _plan, (
            {
                "options": sorted(self.options), "key": self.key, "overrides": dict(self.overrides),
                "unknown": self.unknown, "allow": [*self.allow_tags, *((g, c, e) for c, g, e in self.allow_private)],
                "cleaner": self.cleaner, "strict": self.strict, "safe_private": self.safe_private,
                "window": self.window, "uid_domain": self.uid_domain, "keep_uids": self.keep_uids,
                "issuers": self.issuers, "pseudonyms": dict(self.pseudonyms), "cap_ages": self.cap_ages,
                "pixels": dict(self.pixels),
            },
        )  # fmt: skip


def _plan(options: dict[str, Any]) -> Plan:
    return Plan(**options)


def _one_of(name: str, value: Any, values: tuple[str, ...]) -> Any:
    if value not in values:
        raise ValueError(f"{name} is one of {', '.join(map(repr, values))}, not {value!r}")
    return value


def _checked_options(options: Iterable[str]) -> frozenset[str]:
    if isinstance(options, str):
        raise ValueError("options are a list of names, not one name")
    chosen = frozenset(options)
    unknown = sorted(chosen - set(OPTIONS))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no option; there are {', '.join(OPTIONS)}")
    if {FULL, MODIFIED} <= chosen:
        raise ValueError(f"{FULL} and {MODIFIED} exclude each other")
    return chosen


def _checked_key(key: Any, options: frozenset[str], overrides: Mapping[int, Action]) -> Key | None:
    if key is not None and not isinstance(key, Key):
        raise TypeError(
            f"a key is a deid.Key, not {type(key).__name__}: Key.generate() makes one, Key.load() reads one"
        )
    needs = "retain_uids" not in options or MODIFIED in options or any(_needs_key(*one) for one in overrides.items())
    if key is None and needs:
        raise ValueError("new UIDs and dates need a key: Key.generate() makes one, Key.load() reads one")
    return key


def _needs_key(tag: int, action: Action) -> bool:
    return action in ("U", "P") or (action in ("D", "C") and _vr_of(tag) in ("UI", "DA", "DT"))


def _vr_of(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""


def _tag_of(name: Any) -> int:
    try:
        tag = tag_for_keyword(name) if isinstance(name, str) else None
        return int(Tag(name)) if tag is None else int(tag)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name!r} is neither a keyword nor a tag") from None


def _checked_overrides(overrides: Mapping[Any, Action]) -> Iterable[tuple[int, Action]]:
    for name, action in overrides.items():
        if not callable(action) and action not in ACTIONS:
            raise ValueError(
                f"{name!r}: an action is one of {', '.join(sorted(ACTIONS))} or a function, not {action!r}"
            )
        yield _tag_of(name), action


def _checked_allowed(allowed: Iterable[Any]) -> tuple[frozenset[int], frozenset[tuple[str, int, int]]]:
    tags, private = set(), set()
    for one in allowed:
        if isinstance(one, tuple) and len(one) == 3:
            group, creator, low = one
            private.add((str(creator), int(group), int(low) & 0xFF))
        else:
            tags.add(_tag_of(one))
    return frozenset(tags), frozenset(private)


def _checked_pseudonyms(pseudonyms: Mapping[str, str]) -> dict[str, str]:
    for name in pseudonyms.values():
        if not name or len(name) > 64 or not name.isascii() or not name.isprintable() or "\\" in name:
            raise ValueError(
                "a pseudonym has 1 to 64 characters of ASCII, and no backslash"
            )  # every character set has it
    return {patient.strip(): name for patient, name in pseudonyms.items()}


def _checked_window(window: tuple[int, int]) -> tuple[int, int]:
    low, high = map(int, window)
    if low > high:
        raise ValueError(f"a window is from a lower to a higher offset, not {window!r}")
    return low, high
