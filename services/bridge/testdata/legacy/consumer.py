"""Publishes lines of standard input as the old consumer does: length, message, keep-alive."""

import sys

from channel import connect

out = connect()
for line in sys.stdin.buffer:
    message = line.rstrip(b"\n") + b"\r"
    for payload in (b"%d\r" % (len(message) + 1), message, b"\r"):
        out.publish("twitter_raw", payload)
