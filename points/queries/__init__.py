"""What interfaces may ask the points part; each module owns one noun.

Every function takes the scope first and gives frozen values; not visible means not found.
"""
