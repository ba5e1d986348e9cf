"""From a data set to bytes: values encoded, elements and levels composed, output."""
