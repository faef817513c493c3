"""What an import needs on both sides of the write: files, profiles, judged rows.

Owns reading and judging; ``operations.imports`` alone writes, ``queries.imports`` shows.  The
rules of content are ``registry.domain.importing``'s.
"""
