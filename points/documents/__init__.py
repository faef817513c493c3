"""Printed matter of the points programmes: values → bytes, no queries, no rules."""
