"""Decisions as pure functions: what is observed goes in, what should exist comes out. No I/O, no clock, no client."""
