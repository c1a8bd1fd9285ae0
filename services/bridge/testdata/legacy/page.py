"""Shows events as the old page would take them: the body is decoded a second time.

Dies of anything on the channel that is JSON and no object, and of a body that is no string.
"""

import json
import sys

from channel import messages

for payload in messages("events"):
    try:
        event = json.loads(payload)
    except ValueError:
        continue
    kind, body = event.get("kind"), event.get("body")
    if not kind or not body:
        continue
    if json.dumps(event) != payload.decode("ascii"):
        sys.exit("not the spelling of json.dumps: %r" % payload)
    print(kind, json.dumps(json.loads(body), separators=(",", ":"), sort_keys=True), flush=True)
