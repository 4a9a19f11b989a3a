"""Runs a program that leads a terminal of its own, and shows what it writes there.

Usage: on_terminal.py PROGRAM [ARGUMENT]...
"""
import os
import pty
import sys

sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
