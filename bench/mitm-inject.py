# mitmproxy as a forward proxy that does one thing: it injects the key.
import os

from mitmproxy import http

KEY = "Bearer " + os.environ["BENCH_KEY"]


def request(flow: http.HTTPFlow) -> None:
    flow.request.headers["authorization"] = KEY
