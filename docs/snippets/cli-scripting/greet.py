import json
import sys

call = json.load(sys.stdin)
if not call["args"]:
    sys.exit("a name is missing")
json.dump({"greeting": f"Hello, {call['args'][0]}"}, sys.stdout)
