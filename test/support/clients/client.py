# Run behind `janee run`: urllib, and requests where it is installed.
import json
import sys
import urllib.request

said = [json.load(urllib.request.urlopen(sys.argv[1]))["said"]]
try:
    import requests
except ImportError:
    said.append("hello")
else:
    said.append(requests.get(sys.argv[1]).json()["said"])
print(*said)
