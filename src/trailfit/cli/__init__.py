"""The command line: a command parses, calls, prints, exits. One file a command."""
