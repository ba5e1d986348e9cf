"""What an index is made of: folders, lists, archives, DICOMDIRs and URLs, as places whose heads can be read."""
