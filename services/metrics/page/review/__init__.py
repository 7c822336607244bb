"""The pages of reviews: all of them, one to read, print and decide on, what a number opens to, and scorecards.

A page shows a review as the API does, through the same functions: what is not for a reader is not on it.
"""
