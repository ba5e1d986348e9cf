"""The classes and functions of the façade that native code uses: `dicomcore.dataset` hands them down once.

Native modules import nothing of the façade. They make objects of its classes all the same: items are a `Dataset` of it.
"""


def set_classes(*, type dataset not None, type sequence not None, element_line, check_value, check_name) -> None:
    """Tell which classes items and sequences are made of, how elements print, and what checks values and names."""
    global DATASET, SEQUENCE, ELEMENT_LINE, CHECK_VALUE, CHECK_NAME
    DATASET = dataset
    SEQUENCE = sequence
    ELEMENT_LINE = element_line
    CHECK_VALUE = check_value
    CHECK_NAME = check_name
