"""Benchmarks beside their peers, ratios printed; not shipped, never asserted in tests."""
