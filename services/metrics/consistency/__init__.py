"""The certificate: whether the five views agree with each other and with the books of those who own the facts."""
