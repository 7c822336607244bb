"""How fast Concert is, as ratios within one run: `make bench`."""
