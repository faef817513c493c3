"""Pages, one module per user group; each view declares what it ``needs``."""
