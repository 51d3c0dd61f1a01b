"""What the program promises in numbers: `python -m tests.benchmarks.NAME [--json]`."""
