"""The classes and functions of the façade that native code uses: `dicomcore.dataset` passes them in.

Native modules import nothing from the façade, but they make objects of its classes: each item is a `Dataset`.
"""


def set_classes(*, object dataset, object sequence, object element, object name, object whole, bint keeps,
                element_line, check_value, check_name, advice, setting_advice) -> None:
    """Set the classes of items, sequences and elements, and the functions that print elements and check values.

    `element`, `name` and `whole` are subclasses of DataElement, PersonName and int, None for these themselves. `keeps`
    brings pydicom's habits, see `dicomcore.dataset.serving.serve`.
    """
    global DATASET, SEQUENCE, ELEMENT, NAME, WHOLE, KEEPS
    global ELEMENT_LINE, CHECK_VALUE, CHECK_NAME, ADVICE, SETTING_ADVICE
    DATASET = dataset
    SEQUENCE = sequence
    ELEMENT = element
    NAME = name
    WHOLE = whole
    KEEPS = keeps
    ELEMENT_LINE = element_line
    CHECK_VALUE = check_value
    CHECK_NAME = check_name
    ADVICE = advice
    SETTING_ADVICE = setting_advice
