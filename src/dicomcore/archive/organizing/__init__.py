"""Files of an index put into other folders, or into another transfer syntax."""
