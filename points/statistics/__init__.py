"""Statistics for the 社協 (P10): tables, the same period of last year, files to take away."""
