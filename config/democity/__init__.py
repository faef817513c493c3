"""The demo city (見本): real places, invented people, everything through the real operations.

Owns a seeded generator (the same seed, size and day give the same city) and the steps that load
it.  Refuses a database that holds people already, and production.  Nobody in it exists.
Rules: docs/flows/demo.md.
"""
