"""De-identification (PS3.15 Annex E), over the rows of the index."""
