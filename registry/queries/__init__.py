"""What others may ask the registry; each module owns one noun.

Models stay private to the registry: interfaces and siblings import the functions of these
modules and get frozen values.  Not visible means not there.
"""
