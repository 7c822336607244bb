"""The OAR review (Options, Associations, Results): from the events of a team's work to an action and its proof.

Everything here but `reader.py` is pure: no I/O, no clock. Numbers are floats of the four basic operations and the
square root only, summed by `fsum`, so that they are the same on every machine and in every order; they are rounded
where they are written down and nowhere else.
"""
