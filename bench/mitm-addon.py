# What mitmproxy needs to stand in for a broker: check a token, inject the key.
import os

from mitmproxy import http

TOKEN = "Bearer " + os.environ["BENCH_TOKEN"]
KEY = "Bearer " + os.environ["BENCH_KEY"]


def request(flow: http.HTTPFlow) -> None:
    if flow.request.headers.get("authorization") != TOKEN:
        flow.response = http.Response.make(401)
        return
    flow.request.headers["authorization"] = KEY
