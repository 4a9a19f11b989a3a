"""Runs a program that leads a terminal of its own, and shows what it writes there.

Usage: on_terminal.py PROGRAM [ARGUMENT]...
"""
import os
import pty
import signal
import sys

# The default action, even under `nohup`: a closed terminal ends this script, and so the program.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
