"""For schemathesis: media types that it cannot write, and names that the server knows."""
import json

import schemathesis


@schemathesis.serializer("application/sql", "application/x-ndjson")
def as_text(_, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.serializer("application/cloudevents+json", "application/cloudevents-batch+json")
def as_json(_, value):
    return json.dumps(value).encode()


@schemathesis.hook
def map_path_parameters(_, parameters):
    """Every other name is one that is there, so that not all answers are 404."""
    known = {"stream": "s", "view": "v", "query": "v", "tenant": "default"}
    if parameters:
        if isinstance(parameters.get("letter"), int):
            parameters["letter"] %= 4
        for name, value in parameters.items():
            if isinstance(value, str) and len(value) % 2 == 0 and name in known:
                parameters[name] = known[name] + str(len(value) // 2 % 4) if name != "tenant" else known[name]
    return parameters
