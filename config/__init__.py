"""Wiring only: settings, URLs, the console command.  Nobody imports it."""
