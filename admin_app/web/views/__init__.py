"""One file per menu entry."""
