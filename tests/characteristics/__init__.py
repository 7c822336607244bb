"""How often a review is right where the truth is known: simulated, with the code that judges real teams."""
