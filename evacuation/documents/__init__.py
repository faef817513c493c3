"""Printed matter of the evacuation support: filtered values → bytes, no queries, no rules."""
