"""What the programs share: a connection, and the messages of a channel."""

import os
import sys
import time

import redis


def connect():
    return redis.Redis(host="127.0.0.1", port=int(os.environ["REDIS_PORT"]))


def messages(name):
    """Yields payloads for ever. When Redis is away it tries again, as a supervisor would."""
    while True:
        try:
            pubsub = connect().pubsub()
            pubsub.subscribe(name)
            for message in pubsub.listen():
                if message["type"] == "message":
                    yield message["data"]
                else:
                    print("ready", file=sys.stderr, flush=True)
        except redis.exceptions.ConnectionError:
            time.sleep(0.05)
