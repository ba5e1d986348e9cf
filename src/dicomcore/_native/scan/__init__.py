"""From bytes to an index: sources, the element scanner, and the index of a data set."""
