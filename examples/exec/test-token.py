#!/usr/bin/env python3
"""For `--plugin exec=./test-token.py`: a token of the test system for every request, and no health checks."""
import json
import sys

for line in sys.stdin:
    message = json.loads(line)
    answer = {"id": message["id"]}
    if message.get("target") == "/health":
        answer["drop"] = "health check"
    elif message["protocol"] == "http":
        answer["headers"] = {"Authorization": "Bearer test-token", "Cookie": None}
    print(json.dumps(answer), flush=True)
