"""SCIM 2.0 (RFC 7643, RFC 7644): identity and HR tools recruit, move and take leave of people by the verbs of teams."""
