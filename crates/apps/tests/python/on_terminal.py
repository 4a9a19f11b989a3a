"""Runs a program that leads a terminal of its own, and shows what it writes there.

Usage: on_terminal.py PROGRAM [ARGUMENT]...
"""
import os
import pty
import signal
import sys

# The terminal goes with this script, and the program with its terminal, whatever `nohup` said.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
