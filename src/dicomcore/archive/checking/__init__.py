"""Many files checked against the definitions of their SOP classes: a table of findings, and what it comes to."""
