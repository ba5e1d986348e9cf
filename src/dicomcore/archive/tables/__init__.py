"""The index as a table: columns, rows, batches, the engines that fill them, and the files they are kept in."""
