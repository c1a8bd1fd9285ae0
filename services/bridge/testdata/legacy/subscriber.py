"""Prints tweets. Dies of anything on the channel that is not JSON."""

import json
import time

from channel import messages

for payload in messages("twitter_raw"):
    if not payload:
        continue
    tweet = json.loads(payload)
    if not isinstance(tweet, dict):
        continue
    author = tweet.get("user", {})
    username, name, text = author.get("screen_name"), author.get("name"), tweet.get("text")
    if username and name and text:
        print("[%s] @%s (%s): %s" % (time.strftime("%H:%M:%S"), username, name, str(text).replace("\n", " ")), flush=True)
