"""The index as a table: its columns, rows and batches, the engines that fill them, and the files that store them."""
