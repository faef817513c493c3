"""Background work.  The only package that knows a queue exists."""
