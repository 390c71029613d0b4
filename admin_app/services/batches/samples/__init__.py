"""Sample data: `demo_desk` for people who want to look around, `seed` for benchmarks, and the words of both."""
