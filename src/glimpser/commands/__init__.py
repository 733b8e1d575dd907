"""Groups of commands, one module each; `glimpser.cli` puts them together."""
