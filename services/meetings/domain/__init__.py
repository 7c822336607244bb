"""What meetings is about: each noun with its verbs and its refusals. No I/O and no clock."""
