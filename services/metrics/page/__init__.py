"""The page at `/`: the five views, what their figures are made of, the certificate and the documents, as plain HTML.

Everything is rendered here and works without JavaScript; nothing is loaded from another host. The page asks the same
functions as the API, so the two can never show different numbers.
"""
