"""Template tags of the human face."""
