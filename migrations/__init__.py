"""The history of each service's database."""
