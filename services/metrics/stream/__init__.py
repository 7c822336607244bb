"""The public stream of events: straight from the log, filtered by what its reader may see."""
