"""`python -m app` is the `atrous` command."""

from app.cli import main

main()
