"""Codes of PS3.16: their meanings, and the codes of SNOMED CT in the place of those of the retired scheme SRT."""

from dicomcore.dataset.code import Code
from dicomcore.sr.context_groups import code_at

__all__ = ["RETIRED", "Codes", "codes"]

RETIRED = ("SRT", "SNM3", "99SDM")
"""Designators of SNOMED RT, which PS3.16 8 has retired for SCT."""


class Codes:
    """The codes that PS3.16 uses: ``code in codes``, and other forms of a code."""

    def __contains__(self, code: Code) -> bool:
        return _number(code) >= 0

    def known(self, code: Code) -> Code | None:
        """The code as PS3.16 has it, with its meaning; of SRT that of SCT in its place; None if it has none."""
        number = _number(code)
        return None if number < 0 else code_at(number)

    def sct(self, code: Code) -> Code | None:
        """The code of SCT in the place of one of SRT; a code of SCT is given back; None if there is none."""
        if code.scheme == "SCT":
            return code
        known = self.known(code) if code.scheme in RETIRED else None
        return known if known is not None and known.scheme == "SCT" else None

    def srt(self, code: Code) -> Code | None:
        """The code of SRT that a code of SCT has replaced; a code of SRT is given back; None if there is none."""
        from dicomcore._native.rules import contexts as tables

        if code.scheme in RETIRED:
            return code
        number = _number(code) if code.scheme == "SCT" else -1
        value = tables.srt(number) if number >= 0 else ""
        return Code(value, "SRT", code.meaning or code_at(number).meaning) if value else None


codes = Codes()
"""The codes that PS3.16 uses."""


def _number(code: Code) -> int:
    from dicomcore._native.rules import contexts as tables

    return tables.find(code.scheme, code.value)
