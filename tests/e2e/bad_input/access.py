"""Credentials that are none: whatever they claim, 401 before anything is read. A case is a line."""
import base64
import hashlib
import hmac
import json
import os


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def jwt(head, key=b""):
    claims = {"sub": "default", "scope": "admin", "aud": "millrace", "exp": 4102444800}
    text = f"{part(head)}.{part(claims)}"
    signature = base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).rstrip(b"=").decode() if key else ""
    return f"{text}.{signature}"


ID, ZEROS = "0" * 16, "0" * 64

# The value of Authorization; {id} is that of the token there is, {secret} its secret.
CREDENTIALS = [
    "", "Bearer", "Bearer ", "bearer", "Token {id}", "Basic ZGVmYXVsdDo=", "Digest username=default", "Negotiate abc",
    "Bearer {id}", "Bearer mrt_{id}", "Bearer mrt_{id}_", "Bearer mrt_{id}_" + ZEROS, f"Bearer mrt_{ID}_{ZEROS}",
    "Bearer mrt_{id}_{secret}0", "Bearer mrt_{id}_{secret} ,", "Bearer MRT_{id}_{secret}", "Bearer mrt_{id}_{upper}",
    "Bearer  mrt_{id}_{other}", "Bearer mrt-{id}-{secret}", "Bearer {secret}", "Bearer mrt_{secret}_{id}",
    "Bearer ../../dev/null", "Bearer mrt_../../../dev/null_{secret}", "Bearer mrt_' OR 1=1 --_{secret}",
    "Bearer {hash}", "Bearer " + "x" * 8_000,
    "Bearer " + jwt({"alg": "none"}), "Bearer " + jwt({"alg": "None", "typ": "JWT"}),
    "Bearer " + jwt({"alg": "HS256"}, b"-----BEGIN PUBLIC KEY-----"),
    "Bearer " + jwt({"alg": "HS256", "kid": "../../dev/null"}, b"\0"),
    "Bearer " + jwt({"alg": "HS256", "kid": "' UNION SELECT 'k"}, b"k"),
    "Bearer " + jwt({"alg": "RS256", "jku": "http://169.254.169.254/keys"}, b"k"),
    "Bearer \u0440mrt_{id}_{secret}",
]

CALLS = [
    ("GET", "/v1/streams", None, {}),
    ("GET", "/v1/tokens", None, {}),
    ("POST", "/v1/sql", b"SHOW STREAMS", {"Content-Type": "application/sql"}),
    ("POST", "/v1/streams/s/events", b"{}", {"Content-Type": "application/json"}),
    ("GET", "/v1/streams/s/events", None, {"Accept": "text/event-stream"}),
    ("GET", "/metrics/full", None, {}),
]


def bad_credentials(test):
    server = test.server()
    made = test.cli("tokens", "create", "--data", server.directory, "--scope", "admin", "--scope", "query", "--scope", "ingest")
    assert made.returncode == 0, made
    token = made.stdout.strip()
    _, name, secret = token.split("_")
    server.start(until="/livez")
    good = {"Authorization": f"Bearer {token}"}
    server.call("POST", "/v1/sql", b"CREATE STREAM s (id BIGINT)", {**good, "Content-Type": "application/sql"})
    known = {"id": name, "secret": secret, "upper": secret.upper() if secret.upper() != secret else ZEROS,
             "other": secret[::-1], "hash": hashlib.sha256(token.encode()).hexdigest()}
    for text in CREDENTIALS:
        value = text.format(**known).encode("utf-8").decode("latin-1") if text.count("{") else text
        for method, path, body, headers in CALLS:
            refused = server.refusal(method, path, body, {**headers, "Authorization": value})
            what = (value[:100], path, refused)
            assert refused.status in (401, 429) and refused.problem["code"] in (
                "MR-API-0014", "MR-API-0015", "MR-AUTH-0003"), what
            assert secret not in refused.body and (len(value) < 60 or value[7:] not in refused.body), what
    refused = server.refusal("GET", "/v1/streams", None, {"Authorization": "Bearer " + "x" * 1_000_000})
    assert refused.status == 431 and refused.problem["code"] == "MR-API-0002", refused
    twice = f"GET /v1/streams HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n\r\n"
    assert server.raw(twice.encode()).startswith(b"HTTP/1.1 400 ")
    in_the_target = server.refusal("GET", f"/v1/streams?access_token={token}")
    assert in_the_target.status in (400, 401), in_the_target
    assert b'"name":"s"' in server.call("GET", "/v1/streams", None, good)[0]
    with open(server.log, encoding="utf-8") as log:
        assert secret not in log.read()
    assert os.path.exists(server.directory)


TESTS = [bad_credentials]
