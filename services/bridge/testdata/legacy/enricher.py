"""Turns tweets into events: two for each object, known or not. Dies of odd shapes."""

import json

from channel import connect, messages


def position(tweet):
    geo = tweet.get("geo")
    if geo:
        if geo["type"].lower() != "point":
            return None
        lat, lon = geo["coordinates"]
        return lat, lon
    place = tweet.get("place")
    if place:
        box = place.get("bounding_box")
        if box:
            corners = box.get("coordinates")
            if corners:
                lat, lon = corners[0][0]
                return lat, lon
    return None


def events(tweet):
    author = tweet.get("user", {})
    username, name = author.get("screen_name"), author.get("name")
    if not (username and name):
        username = name = ""
    yield "simple_tweet", {"username": username, "name": name, "body": tweet.get("text", "")}
    lat, lon = position(tweet) or (0, 0)
    if not (lat and lon):
        lat, lon = 0, 0
    yield "geo_blip", {"lat": lat, "lon": lon}


out = connect()
for payload in messages("twitter_raw"):
    try:
        tweet = json.loads(payload)
    except ValueError:
        continue
    if isinstance(tweet, dict):
        for kind, body in events(tweet):
            out.publish("events", json.dumps({"kind": kind, "body": json.dumps(body)}))
