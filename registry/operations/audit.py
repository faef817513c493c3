"""Moved to ``registry.audit``."""

from registry.audit import *  # noqa: F403
