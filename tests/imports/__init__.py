"""Imports: files are read and repaired, a plan is made, the public API is asked."""
