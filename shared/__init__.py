"""The kit that every service stands on, and the language in which they tell each other what happened."""

__version__ = "0.1.0"
