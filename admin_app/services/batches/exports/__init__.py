"""Tickets on their way out: what the list shows, as CSV, JSON lines or a spreadsheet."""
