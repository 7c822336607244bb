"""The routes of meetings, a file per noun: bodies, then load, decide, save."""
