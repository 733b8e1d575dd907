"""`python -m glimpser` is the command `glimpser`."""

from glimpser.cli import main

main()
