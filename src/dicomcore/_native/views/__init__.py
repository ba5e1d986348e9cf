"""Python objects over an index: values, data elements and data sets."""
