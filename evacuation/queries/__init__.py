"""What interfaces may ask about rosters, editions, copies and plans; one noun a module.

Frozen values only, never rows of the database.  Not visible means not found.
"""
