"""Companies that live through what happens to deals and people, and a plain model of what must be shown of them."""
