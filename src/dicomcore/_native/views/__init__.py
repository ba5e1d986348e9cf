"""The index as Python sees it: values, data elements, data sets."""
