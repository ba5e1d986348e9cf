"""Reading an index: SQL queries, the HTML report, and contact sheets."""
