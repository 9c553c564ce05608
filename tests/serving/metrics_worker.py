"""A worker process of the service with numbers only: does what each line of standard input says, and answers a line."""

from __future__ import annotations

import asyncio
import json
import sys

from guard_app import guarded
from starlette.testclient import TestClient

from serving.metrics import Metrics

waiting = 0
metrics = Metrics(waiting=lambda: waiting, count_annotations=lambda: {"pending": 5})
client = TestClient(guarded(metrics=metrics))

for line in sys.stdin:
    command, *arguments = line.split()
    answer = ""
    match command:
        case "request":
            client.post("/predict")
        case "queue":
            waiting = int(arguments[0])
            metrics.observe_batch(int(arguments[0]), 10)
        case "model":
            metrics.serve_model(*arguments)
        case "scrape":
            answer = asyncio.run(metrics.scrape())[0].decode()
    print(json.dumps(answer), flush=True)
