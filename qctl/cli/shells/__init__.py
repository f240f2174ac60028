"""Completion scripts, one module per shell; all are written from the definitions of the commands."""
