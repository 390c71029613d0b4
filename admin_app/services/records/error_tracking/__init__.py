"""Failures that nobody foresaw: `sightings` says what is noted of one, `tracker` keeps a flood of them from the
database, `storing` groups and counts them and decides on the alert.
"""
