"""Jobs over many files: index, queries, reports, frames, volumes, organizing."""
