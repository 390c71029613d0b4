"""What a page shows, read in a constant number of statements."""
