"""One module a source: JSON of facts in, objects of `tools.standard.model` out."""
