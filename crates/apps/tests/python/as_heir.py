"""Becomes a program that adopts orphans, as process 1 does.

Usage: as_heir.py PROGRAM [ARGUMENT]...
"""
import ctypes
import os
import sys

PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
