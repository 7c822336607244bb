"""Killing Concert while it works, and comparing afterwards what was acknowledged with what is there."""
