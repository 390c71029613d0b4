"""Many records in one go: imports, exports, sample data."""
