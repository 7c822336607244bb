"""Bringing in what a company already has: files are read and repaired, a plan is made, the public API is asked."""
