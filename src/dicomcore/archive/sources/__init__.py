"""The sources of an index: folders, lists, archives, DICOMDIRs and URLs, walked as places whose heads can be read."""
