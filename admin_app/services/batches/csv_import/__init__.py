"""Tickets from a CSV file: `reading` streams rows, `mapping` says what columns mean, `drafting` makes a ticket of a
row, `storing` writes a batch of them in one unit of work, `running` does that to a whole file.
"""
