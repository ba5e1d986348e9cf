"""The classes and functions of the façade that native code uses: `dicomcore.dataset` passes them in once.

Native modules import nothing from the façade, but they make objects of its classes: each item is a `Dataset`.
"""


def set_classes(*, type dataset not None, type sequence not None, element_line, check_value, check_name) -> None:
    """Set the classes of items and sequences, and the functions that print elements and check values and names."""
    global DATASET, SEQUENCE, ELEMENT_LINE, CHECK_VALUE, CHECK_NAME
    DATASET = dataset
    SEQUENCE = sequence
    ELEMENT_LINE = element_line
    CHECK_VALUE = check_value
    CHECK_NAME = check_name
