"""The human face: HTML for each user group.

Owns templates, static files, components, charts and the words of each screen.
Refuses: models, SQL and rules — it makes one call to an operation or a query and shows
the answer (house.md, "who may import whom").
"""
