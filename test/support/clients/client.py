# Run behind `janee run`: the library that is named, with nothing said to it but where.
import json
import sys


def said_to_urllib(url):
    import urllib.request

    return json.load(urllib.request.urlopen(url))["said"]


def said_to_requests(url):
    import requests

    return requests.get(url).json()["said"]


print({"urllib": said_to_urllib, "requests": said_to_requests}[sys.argv[1]](sys.argv[2]))
