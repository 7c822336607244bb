"""The whole of Concert, as it is started and looked after."""

# First of all: each of these models looks for its own source among the modules that are loaded, three times as long once
# the rest is there. It was a fifth of every start.
import services.teams.api.scim.models  # noqa: F401
