"""Webhooks: events that are sent to an address, in the order of each subject, until the receiver has taken them.

They are metrics' own state: never rebuilt, and told to nobody on the log.
"""
