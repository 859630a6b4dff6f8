"""`python -m jointbench` is the command line."""

from jointbench.cli import main

main()
