#!/usr/bin/env python3
"""An enricher: it answers the questions of rules, here how a text feels.

It needs nothing but Python and speaks the little of the NATS protocol that it
takes. A program of more weight uses a client library (nats-py) instead.

    python3 enricher.py nats://127.0.0.1:4222

A question is a JSON object with what the rules' "send" says; the answer is one,
too. To say that it failed, a service answers with the header
Nats-Service-Error. Start several: the group shares the questions.
"""
import json
import socket
import sys
from urllib.parse import urlparse

SUBJECT = "enrich.mood"
GROUP = "mood"
GOOD = {"good", "great", "love", "happy", "coffee", "sun"}
BAD = {"bad", "sad", "hate", "angry", "rain", "cold"}


def mood(question):
    """The answer to a question."""
    words = question["text"].lower().split()
    score = sum(word in GOOD for word in words) - sum(word in BAD for word in words)
    return {"score": score, "label": "good" if score > 0 else "bad" if score < 0 else "neutral"}


def answer(payload):
    """The headers and the payload that answer a payload."""
    try:
        return b"", json.dumps(mood(json.loads(payload))).encode()
    except (ValueError, KeyError, AttributeError, TypeError) as err:
        reason = " ".join(repr(err).split())
        return f"NATS/1.0\r\nNats-Service-Error: {reason}\r\nNats-Service-Error-Code: 400\r\n\r\n".encode(), b""


def reply(wire, to, payload):
    """Answer one message."""
    headers, body = answer(payload)
    if headers:
        wire.write(f"HPUB {to} {len(headers)} {len(headers) + len(body)}\r\n".encode() + headers + body + b"\r\n")
    else:
        wire.write(f"PUB {to} {len(body)}\r\n".encode() + body + b"\r\n")
    wire.flush()


def serve(url):
    """Answer until the connection ends."""
    where = urlparse(url)
    with socket.create_connection((where.hostname, where.port or 4222)) as sock, sock.makefile("rwb") as wire:
        options = json.dumps({"verbose": False, "pedantic": False, "headers": True, "no_responders": False, "name": GROUP})
        wire.write(f"CONNECT {options}\r\nSUB {SUBJECT} {GROUP} 1\r\nPING\r\n".encode())
        wire.flush()
        for line in wire:
            verb, *args = line.decode().split()
            if verb == "PING":
                wire.write(b"PONG\r\n")
                wire.flush()
            elif verb == "PONG":
                print(f"answering on {SUBJECT}", flush=True)
            elif verb in ("MSG", "HMSG"):
                # MSG subject sid [reply] bytes; HMSG has the headers' length before it.
                data = wire.read(int(args[-1]) + 2)[:-2]
                if verb == "HMSG":
                    data = data[int(args[-2]):]
                    args.pop()
                if len(args) == 4:
                    reply(wire, args[2], data)
            elif verb == "-ERR":
                sys.exit(line.decode().strip())


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else "nats://127.0.0.1:4222"
    try:
        serve(address)
    except OSError as err:
        sys.exit(f"enricher: connect to {address}: {err}")
    except KeyboardInterrupt:
        pass
