"""The routes of teams, a file per noun: bodies, then load, decide, save."""
