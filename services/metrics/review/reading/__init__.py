"""From the facts that metrics keeps to the inputs of a review, for one team and period in one snapshot."""
