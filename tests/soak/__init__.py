"""Concert under events without end, twice and in disorder, while its parts die and stand still."""
