"""`python -m descend`."""

from descend.cli import main

main(prog_name="descend")
