"""The command line: options in, one operation called, text out, exit code. Imports nothing heavy."""
