"""The `folio` command. A subcommand is a file: `cli/serve.py` holds the function `serve`."""
