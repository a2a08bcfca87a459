#!/usr/bin/env python3
"""A disk of KILOBYTES a second: copies a pipe into a file at that pace, until SIGUSR1 makes it a fast one.

    slow_reader.py PIPE FILE KILOBYTES
"""
import signal
import sys
import time

fast = False


def hurry(*_):
    global fast
    fast = True


signal.signal(signal.SIGUSR1, hurry)
pipe, file, rate = sys.argv[1], sys.argv[2], float(sys.argv[3])
print("waiting", flush=True)
with open(pipe, "rb", buffering=0) as source, open(file, "wb") as target:
    while data := source.read(16 << 10):
        target.write(data)
        if not fast:
            time.sleep(len(data) / rate / 1000)
print("done", flush=True)
