"""Interchange formats of data sets: DICOM JSON (PS3.18 Annex F) and the Native DICOM Model in XML (PS3.19 Annex A)."""

from dicomcore.forms.json_reader import from_json, read_json_lines
from dicomcore.forms.json_text import to_json, to_json_dict, write_json_lines
from dicomcore.forms.xml_reader import from_xml
from dicomcore.forms.xml_writer import xml_pieces

__all__ = ["from_json", "from_xml", "read_json_lines", "to_json", "to_json_dict", "write_json_lines", "xml_pieces"]
