"""The routes of targets, a file per noun: bodies, then load, decide, save."""
