"""What metrics knows of each kind of thing, and what each contributes to the sums: a file per owner's nouns."""
