"""What an index says: SQL over it, a report, contact sheets."""
