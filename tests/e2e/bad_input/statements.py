"""What a bad statement gets: a status, a code, and a place where there is one; nothing is made of it. A case is a line."""
import json

from harness import Refused

SETUP = """
CREATE STREAM s (id BIGINT, name TEXT, d DOUBLE PRECISION, at TIMESTAMPTZ, WATERMARK FOR at AS at) WITH (key = 'name');
CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n FROM s GROUP BY name;
CREATE STREAM big AS SELECT id, name FROM s WHERE id > 10;
CREATE STREAM ambiguous (window_start TIMESTAMPTZ);
"""

# A text, the status, the code. Where each error stands and what it says in full: tests/sql/errors.
REFUSED = [
    # names
    ("SELECT nme FROM s", 400, "MR-SQL-0011"),
    ("SELECT id FROM v", 400, "MR-SQL-0011"),
    ('SELECT "ID" FROM s', 400, "MR-SQL-0011"),
    ("SELECT * FROM nothing", 404, "MR-SQL-0010"),
    ("SELECT x.id FROM s", 400, "MR-SQL-0010"),
    ("SUBSCRIBE TO nothing", 404, "MR-SQL-0010"),
    ("DROP STREAM nothing", 404, "MR-SQL-0010"),
    ("SELECT window_start FROM TUMBLE(ambiguous, window_start, INTERVAL '1 hour')", 400, "MR-SQL-0012"),
    ("SELECT id AS x, name AS x FROM s ORDER BY x", 400, "MR-SQL-0014"),
    ("SELECT window_start FROM TUMBLE(s, nothing, INTERVAL '1 hour')", 400, "MR-SQL-0011"),
    ("CREATE STREAM s (id BIGINT)", 409, "MR-SQL-0013"),
    ("CREATE STREAM v (id BIGINT)", 409, "MR-SQL-0013"),
    ("CREATE STREAM t (id BIGINT, id TEXT)", 400, "MR-SQL-0014"),
    ("CREATE MATERIALIZED VIEW w AS SELECT id, id FROM s", 400, "MR-SQL-0014"),
    ('CREATE STREAM "a/b" (id BIGINT)', 400, "MR-SQL-0015"),
    ('CREATE STREAM "default/s" (id BIGINT)', 400, "MR-SQL-0015"),
    ("CREATE STREAM dead_letters (id BIGINT)", 400, "MR-SQL-0015"),
    ("DROP STREAM v", 400, "MR-SQL-0016"),
    ("DROP STREAM s", 409, "MR-SQL-0017"),
    ("DROP STREAM dead_letters", 400, "MR-SQL-0015"),
    ("CREATE MATERIALIZED VIEW w AS SELECT * FROM w", 404, "MR-SQL-0010"),  # a view of itself
    # types and values
    ("SELECT id + name FROM s", 400, "MR-SQL-0020"),
    ("SELECT id FROM s WHERE name", 400, "MR-SQL-0021"),
    ("SELECT id FROM s WHERE at > '292277026596-12-04'", 400, "MR-SQL-0022"),
    ("SELECT id FROM s WHERE id = 'x'", 400, "MR-SQL-0022"),
    ("SELECT 99999999999999999999::bigint", 400, "MR-SQL-0102"),
    ("SELECT 9223372036854775807 + 1", 400, "MR-SQL-0102"),
    ("SELECT 1/0", 400, "MR-SQL-0101"),
    ("SELECT 1e308::float8 * 10", 400, "MR-SQL-0103"),
    ("SELECT CAST('x' AS BIGINT)", 400, "MR-SQL-0022"),
    ("SELECT CAST(name AS BIGINT) FROM s", 400, "MR-SQL-0106"),
    ("SELECT nothing(1)", 400, "MR-SQL-0025"),
    ("SELECT sum(name) FROM s GROUP BY id", 400, "MR-SQL-0026"),
    ("CREATE STREAM t (id MONEY)", 501, "MR-SQL-0023"),
    ("CREATE STREAM t (id BIGINT) WITH (partitions = 0)", 400, "MR-SQL-0030"),
    ("CREATE STREAM t (id BIGINT) WITH (partitions = 99999)", 400, "MR-SQL-0030"),
    ("CREATE STREAM t (id BIGINT) WITH (key = 'nothing')", 400, "MR-SQL-0011"),
    ("CREATE MATERIALIZED VIEW w AS SELECT id, count(*) FROM s GROUP BY name", 400, "MR-SQL-0040"),
    ("CREATE MATERIALIZED VIEW w AS SELECT name, count(*) AS n FROM s GROUP BY name EMIT ON WINDOW CLOSE", 400,
     "MR-SQL-0043"),
    ("SELECT id FROM s LIMIT -1", 400, "MR-SQL-0051"),
    # what is no SQL
    ("nonsense", 400, "MR-SQL-0001"),
    ("SELECT", 400, "MR-SQL-0001"),
    ("SELECT id FROM s WHERE", 400, "MR-SQL-0001"),
    ("SELECT 'abc", 400, "MR-SQL-0002"),
    ("SELECT /* abc", 400, "MR-SQL-0002"),
    (b"SELECT '\xff'", 400, "MR-SQL-0002"),
    (b"SELECT '\xc0\xaf'", 400, "MR-SQL-0002"),
    (b"SELECT '\0'", 400, "MR-SQL-0002"),
    ('SELECT "' + "x" * 100 + '" FROM s', 400, "MR-SQL-0002"),
    # too much
    ("SELECT " + "(" * 10_000 + "1" + ")" * 10_000, 400, "MR-SQL-0004"),
    ("SELECT " + "(" * 100_000, 400, "MR-SQL-0004"),
    ("SELECT " + "- " * 100_000 + "1", 400, "MR-SQL-0004"),
    ("SELECT " + "NOT " * 100_000 + "true", 400, "MR-SQL-0004"),
    ("SELECT " + "CASE WHEN true THEN " * 10_000 + "1", 400, "MR-SQL-0004"),
    ("SELECT 1" + "+1" * 100_000, 400, "MR-SQL-0004"),
    ("SELECT id FROM s WHERE id IN (" + "1," * 20_000 + "1)", 400, "MR-SQL-0004"),
    ("SELECT " + "1," * 2_000 + "1", 400, "MR-SQL-0004"),
    ("SELECT 1;" * 20_000, 400, "MR-SQL-0004"),
    ("SELECT id FROM s WHERE name LIKE '" + "%a" * 1_000 + "'", 400, "MR-SQL-0004"),
    ("SELECT '" + "x" * (1 << 20) + "'", 413, "MR-API-0003"),
    # PostgreSQL's, not ours
    ("SELECT * FROM s a JOIN s b ON a.id = b.id", 501, "MR-SQL-0005"),
    ("SELECT * FROM s, v", 501, "MR-SQL-0005"),
    ("SELECT (SELECT 1)", 501, "MR-SQL-0005"),
    ("INSERT INTO s VALUES (1), (2, 3)", 400, "MR-SQL-0001"),
    ("INSERT INTO v VALUES (1)", 400, "MR-SQL-0016"),
    ("DELETE FROM s", 501, "MR-SQL-0005"),
    ("CREATE STREAM t AS SELECT count(*) AS n FROM s", 501, "MR-SQL-0005"),
    # order
    ("SUBSCRIBE TO s; SELECT 1", 400, "MR-QRY-0002"),
]

# What a web page may send without asking is refused, and everything else that is not SQL.
TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
         "text/plain; application/sql", "text/plain, application/sql", "application/sql, text/plain", "application/sqlx"]


def bad_statements(test):
    server = test.server().start()
    server.sql(SETUP)
    server.produce("s", [{"id": n, "name": f"n{n % 3}", "at": n} for n in range(20)])
    names = server.sql_bytes("SHOW STREAMS") + server.sql_bytes("SHOW VIEWS")
    rows = server.sql_bytes("SELECT * FROM v ORDER BY name")
    for text, status, code in REFUSED:
        body = text if isinstance(text, bytes) else text.encode()
        refused = server.refusal("POST", "/v1/sql", body, {"Content-Type": "application/sql"})
        what = (body[:80], refused)
        assert refused.status == status and refused.problem["code"] == code, what
        assert refused.problem["message"] and refused.problem["title"] == refused.problem["message"], what
        if code.startswith("MR-SQL") and body:
            span = refused.problem["span"]
            assert span["line"] >= 1 and span["column"] >= 1 and span["offset"] <= len(body), what
    assert server.sql_bytes("SELECT * FROM v ORDER BY name") == rows
    after = server.sql_bytes("SHOW STREAMS") + server.sql_bytes("SHOW VIEWS")
    strip = [{k: v for k, v in json.loads(line).items() if k in ("name", "definition")} for line in names.splitlines()]
    assert [{k: v for k, v in json.loads(line).items() if k in ("name", "definition")}
            for line in after.splitlines()] == strip
    assert server.stop() == 0
    server.check_verify()


def content_types_of_web_pages(test):
    server = test.server().start()
    for kind in TYPES:
        refused = server.refusal("POST", "/v1/sql", b"CREATE STREAM t (id BIGINT)", {"Content-Type": kind})
        assert refused.status == 415 and refused.problem["code"] == "MR-API-0006", (kind, refused)
    assert [row["name"] for row in server.sql("SHOW STREAMS")] == ["dead_letters"]
    for kind in ("application/sql", "Application/SQL; charset=utf-8"):
        assert server.call("POST", "/v1/sql", b"SELECT 1 AS x", {"Content-Type": kind})[0] == b'{"x":1}\n'


def what_was_done_before_an_error_stays(test):
    server = test.server().start()
    server.sql(SETUP)
    lines = [json.loads(line) for line in
             server.sql_bytes("CREATE STREAM first (id BIGINT); SELECT 1/0; CREATE STREAM second (id BIGINT)").splitlines()]
    assert lines[0] == {"status": "CREATE STREAM"} and lines[1]["error"]["code"] == "MR-SQL-0101", lines
    assert lines[1]["error"]["span"]["column"] == 41, lines
    assert server.sql("SELECT * FROM first") == []
    try:
        server.sql("SELECT * FROM second")
        raise AssertionError("what came behind the error was made")
    except Refused as refused:
        assert refused.problem["code"] == "MR-SQL-0010", refused


def rows_that_fail_become_dead_letters(test):
    """A row that a continuous query cannot compute, and a late one: kept with cause and bytes, the query goes on."""
    server = test.server().start()
    server.sql("""CREATE STREAM s (id BIGINT, at TIMESTAMPTZ, WATERMARK FOR at AS at);
        CREATE STREAM halves AS SELECT id, 100 / id AS part FROM s;
        CREATE MATERIALIZED VIEW m AS SELECT window_start, count(*) AS n FROM TUMBLE(s, at, INTERVAL '1 minute') GROUP BY 1""")
    server.produce("s", [{"id": n, "at": 60_000 * n} for n in (1, 0, 2, 5, 3)])
    assert [r["part"] for r in server.events("halves")] == [100, 50, 20, 33]
    letters = server.sql("SELECT cause, code, query, payload FROM dead_letters")
    assert sorted((r["code"], r["query"]) for r in letters) == [
        ("MR-SQL-0101", "halves"), ("MR-STEP-0011", "m"), ("MR-STEP-0011", "m")], letters
    assert {json.loads(r["payload"])["id"] for r in letters} == {0, 3}
    assert server.stop() == 0
    server.check_verify()


TESTS = [bad_statements, content_types_of_web_pages, what_was_done_before_an_error_stays,
         rows_that_fail_become_dead_letters]
