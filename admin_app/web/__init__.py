"""Everything the browser touches. Knows the services, never the database."""
