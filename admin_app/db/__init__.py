"""The floor that talks to SQLite and PostgreSQL."""
