"""Forms: fields with labels above, Japanese words, no placeholder."""
