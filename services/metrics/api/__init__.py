"""The routes of metrics: the views and what they are made of, the certificate, the stream of events, the page."""
