"""Random queries over streams, for postgres_streams.py: expressions of every type, groups, windows, sets.

A query is one text for both; in_postgres() makes PostgreSQL's of ours, where only the windows and a few aggregates are others. Everything
here is total (no row fails), and exact: doubles are quarters, so that their sums do not depend on an order."""
import random
import re

COLUMNS = {
    "b": "boolean", "i2": "smallint", "i4": "integer", "i8": "bigint", "r": "real", "x": "double precision", "d": "numeric(12,2)", "s": "text",
    "v": "varchar(3)", "da": "date", "ti": "time", "ts": "timestamp", "tz": "timestamptz", "iv": "interval", "bb": "bytea", "u": "uuid",
    "j": "jsonb", "ai": "integer[]", "a_s": "text[]", "p": "row<a integer, b text>"}
ALWAYS = {"id": "bigint", "k": "text", "at": "timestamptz"}
QUARTERS = [n / 4 for n in range(-6, 7)]
TIMES = [f"2003-05-06T00:00:{n // 4:02}.{n % 4 * 25:02}" for n in range(0, 240)]
# As JSON has them.
VALUES = {
    "boolean": [True, False], "smallint": [-2, 0, 1, 2, 3], "integer": [-1, 0, 1, 2, 3, 5], "bigint": [-3, 0, 1, 2, 3000000000], "real": QUARTERS,
    "double precision": QUARTERS + ["NaN", "Infinity"], "numeric(12,2)": [-2.5, 0, 0.1, 1.05, 2, 10.25], "text": ["a", "b", "ab", "", "é", 'q"x', "a, b", "\\"],
    "varchar(3)": ["a", "abc", "yz"], "date": ["2003-05-06", "2003-05-07", "1999-12-31"], "time": ["10:20:30.5", "00:00:00", "23:59:59"],
    "timestamp": ["2003-05-06T10:20:30.25", "2003-05-06T00:00:07", "1999-12-31T23:59:59"], "timestamptz": TIMES,
    "interval": ["1 day", "02:00:00", "30 days", "-00:00:01"], "bytea": ["\\x00ff", "\\x", "\\x61"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"],
    "jsonb": [{"a": 1, "b": "x"}, [1, 2], "t", 5, True, {"a": "y"}, {"a": [1]}], "integer[]": [[], [1], [1, 2], [1, None], [3, 1]],
    "text[]": [[], ["a"], ["a b", None], ["b", "a"]], "row<a integer, b text>": [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, {"a": 2, "b": None}]}
# The types of expressions, with a literal of each.
LITERALS = {
    "boolean": "true", "smallint": "1::smallint", "integer": "2", "bigint": "3::bigint", "real": "0.5::real", "float8": "1.25::float8",
    "numeric": "1.5", "text": "'b'::text", "date": "DATE '2003-05-06'", "time": "TIME '10:20:30.5'", "timestamp": "TIMESTAMP '2003-05-06 00:00:07'",
    "timestamptz": "TIMESTAMPTZ '2003-05-06 00:00:30Z'", "interval": "INTERVAL '02:00:00'", "bytea": "'\\x61'::bytea",
    "uuid": "'00000000-0000-0000-0000-000000000000'::uuid", "jsonb": "'[1, 2]'::jsonb", "integer[]": "'{1,2}'::integer[]",
    "text[]": "'{a}'::text[]", "pair": "ROW(1, 'x')::row<a integer, b text>"}
OF_COLUMN = {"double precision": "float8", "numeric(12,2)": "numeric", "varchar(3)": "text", "row<a integer, b text>": "pair"}
ORDERED = ["smallint", "integer", "bigint", "real", "float8", "numeric", "text", "date", "time", "timestamp", "timestamptz", "interval"]
# <type> stands for an expression of it, <same> for others of the type that is wanted.
EXPRESSIONS = {
    "boolean": ["<integer> > <integer>", "<bigint> IS DISTINCT FROM <bigint>", "<text> < <text>", "<text> LIKE 'a%'", "<text> IN ('a', 'b', <text>)",
                "<numeric> BETWEEN -1 AND <numeric>", "<float8> <= <real>", "<date> < <timestamp>", "<timestamptz> >= <timestamptz>", "<time> = <time>",
                "<interval> > <interval>", "<uuid> = <uuid>", "<bytea> < <bytea>", "<jsonb> @> '{\"a\": 1}'", "<jsonb> ? 'a'", "<jsonb> = <jsonb>",
                "<integer> = ANY (<integer[]>)", "<integer[]> && '{1}'", "<text[]> < <text[]>", "<pair> IS NULL", "<pair> < <pair>",
                "(<pair>).a = 1", "<boolean> AND <boolean>", "<boolean> OR <boolean>", "NOT <boolean>", "<any> IS NULL", "<any> IS NOT NULL",
                "<smallint> IN (1, 2, <integer>)", "<boolean> IS NOT TRUE", "<text> ~ '^a'"],
    "smallint": ["<smallint> + 1::smallint", "-<smallint>"],
    "integer": ["<integer> + <integer>", "<integer> * 2", "<integer> % 3", "<smallint> - <integer>", "abs(<integer>)", "length(<text>)::integer",
                "cardinality(<text[]>)::integer", "(<integer[]>)[1]", "(<pair>).a", "greatest(<integer>, <smallint>)", "<date> - DATE '2003-05-01'",
                "<boolean>::integer"],
    "bigint": ["<bigint> + <integer>", "<bigint> / 2", "<integer>::bigint", "extract(day FROM <date>)::bigint"],
    "real": ["<real> + <real>", "<real> * 2::real"], "float8": ["<float8> + <real>", "<float8> * 2", "<integer> + <float8>"],
    "numeric": ["<numeric> + <integer>", "<numeric> * <numeric>", "round(<numeric>, 1)"],
    "text": ["<text> || <text>", "upper(<text>)", "left(<text>, 1)", "<integer>::text", "<boolean>::text", "<jsonb> ->> 'a'", "(<pair>).b",
             "(<text[]>)[1]", "array_to_string(<integer[]>, '-')", "<uuid>::text", "concat(<text>, <integer>)"],
    "date": ["<date> + <smallint>::integer", "<timestamp>::date"], "time": ["<timestamp>::time"], "timestamp": ["<date> + <time>", "date_trunc('minute', <timestamp>)"],
    "timestamptz": ["<timestamptz> + INTERVAL '1 day'", "date_trunc('minute', <timestamptz>)"], "interval": ["<timestamptz> - <timestamptz>", "<time> - <time>"],
    "bytea": ["<bytea> || <bytea>"], "uuid": [], "jsonb": ["<jsonb> -> 'a'", "to_jsonb(<integer>)", "jsonb_build_array(<text>, <integer>)"],
    "integer[]": ["<integer[]> || <integer>", "ARRAY[<integer>, 7]", "(<integer[]>)[1:1]"], "text[]": ["array_remove(<text[]>, 'a')", "<text[]> || <text[]>"], "pair": ["ROW(<integer>, <text>)::row<a integer, b text>"]}
ANY_TYPE = ["CASE WHEN <boolean> THEN <same> ELSE <same> END", "coalesce(<same>, <same>)"]
# % may be DISTINCT, # is where FILTER stands, ~ an order that leaves nothing open, ! one of the argument alone.
COUNTED = [("count(*)#", "bigint"), ("count(%<any>)#", "bigint")]
AGGREGATES = COUNTED + [
    ("sum(%<smallint>)#", "bigint"), ("sum(%<integer>)#", "bigint"), ("sum(%<bigint>)#::bigint", "bigint"), ("sum(%<numeric>)#", "numeric"),
    ("avg(%<integer>)#", "numeric"), ("avg(%<bigint>)#", "numeric"), ("avg(%<numeric>)#", "numeric"),
    *((f"{name}(%<{of}>)#", "numeric") for name in ("var_pop", "var_samp", "variance", "stddev", "stddev_pop", "stddev_samp") for of in ("integer", "numeric")),
    *((f"{name}(<{of}>)#", of) for name in ("min", "max") for of in ORDERED), ("bool_and(<boolean>)#", "boolean"), ("bool_or(<boolean>)#", "boolean"),
    ("every(<boolean>)#", "boolean"), ("bit_xor(<bigint>)#", "bigint"), ("any_value(<text>)#", "text"), ("any_value(<boolean>)#", "boolean"),
    ("any_value(<integer>)#", "integer"), ("regr_count(<float8>, <integer>)#", "bigint"),
    *((f"percentile_cont({fraction}) WITHIN GROUP (ORDER BY <{of}>)#", "float8") for fraction in ("0.5", "0.25") for of in ("integer", "float8")),
    *((f"percentile_disc(0.6) WITHIN GROUP (ORDER BY <{of}>)#", of) for of in ("integer", "text", "numeric", "date", "real")),
    *((f"mode() WITHIN GROUP (ORDER BY <{of}>)#", of) for of in ("smallint", "text", "timestamptz", "boolean")),
    *((f"{name}(1) WITHIN GROUP (ORDER BY <integer>{order})#", of) for order in ("", " DESC")
      for name, of in (("rank", "bigint"), ("dense_rank", "bigint"), ("percent_rank", "float8"), ("cume_dist", "float8"))),
    ("rank('b', 1.5) WITHIN GROUP (ORDER BY <text> DESC, <numeric> NULLS FIRST)#", "bigint"), ("dense_rank('ab', true) WITHIN GROUP (ORDER BY <text>, <boolean>)#", "bigint")]
# Those that cannot take a row back.
LISTS = [
    ("sum(<float8>)#", "float8"), ("sum(<real>)#::float8", "float8"), ("avg(<float8>)#", "float8"), ("avg(<real>)#", "float8"),
    ("bit_and(<integer>)#", "integer"), ("bit_or(<smallint>)#", "smallint"), ("min(<integer[]>)#", "integer[]"), ("max(<text[]>)#", "text[]"),
    ("string_agg(<text>, ', ' ~)#", "text"), ("string_agg(DISTINCT <text>, '-')#", "text"), ("listagg(<text> ~)#", "text"),
    ("jsonb_object_agg(coalesce(<text>, '?'), <integer> ~)#", "jsonb"), ("approx_count_distinct(<any>)#", "bigint"),
    *((f"array_agg(<{of}> ~)#", "other") for of in ORDERED + ["boolean", "uuid", "bytea", "jsonb"]),
    *((f"array_agg(DISTINCT <{of}>)#", "other") for of in ("integer", "text", "numeric")),
    *((f"jsonb_agg(<{of}> ~)#", "jsonb") for of in ("integer", "text", "boolean", "jsonb", "date", "uuid", "integer[]", "pair")),
    *((f"{name}(<{of}> ~)#", of) for name in ("first_value", "last_value") for of in ORDERED + ["jsonb", "integer[]", "pair", "uuid"])]
HAVING = ["count(*) > 1", "count(*) % 2 = 0", "count(DISTINCT k) < 3", "max(id) > 5", "sum(id) IS NOT NULL", "min(k) = 'a'", "NOT bool_and(id > 3)"]
PLACE = re.compile(r"<([a-z0-9]+(?:\[\])?)>")
WINDOW = re.compile(r"(TUMBLE|HOP|CUMULATE)\((\w+), (\w+), ([^()]*)\)")
NAMED_OTHERWISE = {"first_value(": "first_agg(", "last_value(": "last_agg(", "any_value(": "least_agg(", "approx_count_distinct(": "count(DISTINCT ",
                   "listagg(": "comma_agg("}
# What PostgreSQL lacks, and each type's values as `millrace test` shows them.
PRELUDE = r"""
CREATE TYPE pair AS (a integer, b text);
CREATE FUNCTION first_of(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1';
CREATE FUNCTION last_of(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $2';
CREATE FUNCTION least_of(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE STRICT AS 'SELECT least($1, $2)';
CREATE FUNCTION with_comma(text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1 || '','' || $2';
CREATE AGGREGATE first_agg(anyelement) (sfunc = first_of, stype = anyelement);
CREATE AGGREGATE last_agg(anyelement) (sfunc = last_of, stype = anyelement);
CREATE AGGREGATE least_agg(anyelement) (sfunc = least_of, stype = anyelement);
CREATE AGGREGATE comma_agg(text) (sfunc = with_comma, stype = text);
CREATE FUNCTION rfc3339(timestamp) RETURNS text LANGUAGE sql AS $$SELECT regexp_replace(to_char($1, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '\.?0*$', '')$$;
CREATE FUNCTION span(interval) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN months = 0 AND days = 0 THEN '' ELSE months || 'mon ' || days || 'd ' END || micros || 'us'
  FROM (SELECT (extract(year FROM $1) * 12 + extract(month FROM $1))::int AS months, extract(day FROM $1)::int AS days,
    ((extract(hour FROM $1) * 60 + extract(minute FROM $1)) * 60000000 + extract(microsecond FROM $1))::bigint AS micros) AS p$$;
CREATE FUNCTION ours(v anyelement) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  CASE pg_typeof(v)::text
    WHEN 'numeric' THEN RETURN trim_scale(v::text::numeric)::text;
    WHEN 'double precision' THEN RETURN replace(lower(v::text), 'infinity', 'inf');
    WHEN 'timestamp without time zone' THEN RETURN rfc3339(v::text::timestamp);
    WHEN 'timestamp with time zone' THEN RETURN rfc3339(v::text::timestamp) || 'Z';
    WHEN 'interval' THEN RETURN span(v::text::interval);
    WHEN 'numeric[]' THEN RETURN (SELECT array_agg(trim_scale(x)) FROM unnest(v::text::numeric[]) AS x)::text;
    WHEN 'timestamp without time zone[]' THEN RETURN (SELECT array_agg(rfc3339(x)) FROM unnest(v::text::timestamp[]) AS x)::text;
    WHEN 'timestamp with time zone[]' THEN RETURN (SELECT array_agg(rfc3339(x) || 'Z') FROM unnest(v::text::timestamp[]) AS x)::text;
    ELSE RETURN v::text;
  END CASE;
END $$;
"""


def in_postgres(text):
    for ours, theirs in NAMED_OTHERWISE.items():
        text = text.replace(ours, theirs)
    text = text.replace(COLUMNS["p"], "pair")
    return WINDOW.sub(lambda match: window_of(*match.groups()), text)


def window_of(kind, source, time, lengths):
    """Every row once for each of its windows."""
    first, *more = lengths.split(", ")
    origin = "TIMESTAMPTZ '1970-01-01Z'"
    size = more[0] if more and kind != "TUMBLE" else first
    offset = more[1:] if kind != "TUMBLE" else more
    origin = " + ".join([origin, *offset])
    start = f"date_bin({size}, {time}, {origin})"
    if kind == "TUMBLE":
        return f"(SELECT *, {start} AS window_start, {start} + {size} AS window_end FROM {source} WHERE {time} IS NOT NULL) AS {source}"
    if kind == "CUMULATE":
        ends = f"generate_series({start} + {first}, {start} + {size}, {first}) AS window_end"
        return f"(SELECT {source}.*, {start} AS window_start, window_end FROM {source}, {ends} WHERE window_end > {time}) AS {source}"
    last = f"date_bin({first}, {time}, {origin})"
    starts = f"generate_series({last} - {size_in_steps(size, first)} * {first}, {last}, {first}) AS window_start"
    return (f"(SELECT {source}.*, window_start, window_start + {size} AS window_end FROM {source}, {starts} "
            f"WHERE window_start + {size} > {time}) AS {source}")


def size_in_steps(size, step):
    seconds = [int(re.search(r"\d+", length)[0]) for length in (size, step)]
    return -(-seconds[0] // seconds[1])


class Queries:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    # Expressions. `columns` are names and their types.

    def expression(self, columns, of_type, depth):
        fitting = [name for name, known in columns.items() if known == of_type]
        templates = EXPRESSIONS[of_type] + ANY_TYPE
        if depth > 0 and not (fitting and self.chance(0.4)):
            # One of several that reads most columns.
            known = set(columns.values())
            template = max(self.random.choices(templates, k=3), key=lambda t: len(known.intersection(PLACE.findall(t))))
            return "(" + self.filled(template, columns, of_type, depth - 1) + ")"
        if fitting and not self.chance(0.1):
            return self.random.choice(fitting)
        return LITERALS[of_type] if self.chance(0.7) else f"NULL::{COLUMNS['p'] if of_type == 'pair' else of_type}"

    def filled(self, template, columns, same, depth):
        def argument(match):
            of_type = {"same": same, "any": self.any_type(columns)}.get(match[1], match[1])
            return self.expression(columns, of_type, depth)
        return PLACE.sub(argument, template)

    def any_type(self, columns):
        """Of a column, if there is one that expressions know."""
        known = [of_type for of_type in columns.values() if of_type in LITERALS]
        return self.random.choice(known) if known and not self.chance(0.2) else self.random.choice(list(LITERALS))

    def condition(self, columns):
        return self.expression(columns, "boolean", 2)

    def where(self, columns, share=0.4):
        return f" WHERE {self.condition(columns)}" if self.chance(share) else ""

    def aggregate(self, columns, of):
        template, of_type = self.random.choice(of)
        order = "ORDER BY " + self.expression(columns, self.random.choice(ORDERED), 1)
        order += self.random.choice(["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]) + ", id"
        text = template.replace("%", self.random.choice(["", "", "DISTINCT "])).replace("~", order)
        text = text.replace("#", f" FILTER (WHERE {self.condition(columns)})" if self.chance(0.25) else "")
        return self.filled(text, columns, None, self.random.randint(0, 1)), of_type

    # Queries: a text and the columns that it has.

    def computed(self, columns, share=0.6):
        """Items: those that every query goes on with, and a few that are computed."""
        out = {name: (name, of_type) for name, of_type in columns.items() if name in ALWAYS}
        for name, of_type in columns.items():
            if name not in ALWAYS and self.chance(0.7):
                text = self.expression(columns, of_type, 1) if of_type in LITERALS and not self.chance(share) else name
                # Two columns that are one expression cannot be keys of GROUPING SETS, constants no keys at all.
                fine = reads(text, columns) and text not in (known for known, _ in out.values())
                out[name] = (text if fine else name, of_type)
        return out

    def plain(self, source, columns):
        items = self.computed(columns)
        return f"SELECT {listed(items)} FROM {source}{self.where(columns)}", types_of(items)

    def distinct(self, source, columns):
        items = {f"x{i}": self.typed(columns) for i in range(self.random.randint(1, 3))}
        if not any(reads(text, columns) for text, _ in items.values()):
            items["k"] = ("k", "text")
        return f"SELECT DISTINCT {listed(items)} FROM {source}{self.where(columns)}", types_of(items)

    def typed(self, columns):
        of_type = self.any_type(columns)
        return self.expression(columns, of_type, self.random.randint(0, 1)), of_type

    def together(self, relations):
        """Two queries of the same columns."""
        operation = self.random.choice(["UNION", "INTERSECT", "EXCEPT"])
        (_, columns), (other, _) = (self.random.choice(list(relations.items())) for _ in range(2))
        types = [self.any_type(columns) for _ in range(self.random.randint(1, 3))]
        sides = []
        for source in (self.random.choice(list(relations)), other):
            known = relations[source]
            items = {f"x{i}": (self.expression(known, t, 1), t) for i, t in enumerate(types)}
            sides.append(f"SELECT {listed(items)} FROM {source}{self.where(known)}")
        return f" {operation} ".join(sides), {f"x{i}": t for i, t in enumerate(types)}

    def union_all(self, relations):
        """Two streams as one, under the columns that both have; every id once, for an order is by it in the end."""
        names = self.random.sample(list(relations), min(2, len(relations)))
        both = {name: t for name, t in relations[names[0]].items() if relations[names[-1]].get(name) == t}
        others = ", ".join(name for name in both if name != "id")
        sides = (f"SELECT {key}, {others} FROM {name}{self.where(relations[name])}" for key, name in (("id", names[0]), ("id + 1000 AS id", names[-1])))
        return " UNION ALL ".join(sides), both

    def source(self, relations):
        """What goes before a query, the name that it reads, its columns."""
        pick = self.random.random()
        if pick < 0.5:
            name, columns = self.random.choice(list(relations.items()))
            return "", name, columns
        if pick < 0.75:
            inner, columns = self.plain(*self.random.choice(list(relations.items())))
        else:
            inner, columns = self.union_all(relations)
        return f"WITH q AS ({inner}) ", "q", columns

    def window(self, source):
        """Its FROM, and whether it may have several windows for a row."""
        seconds = self.random.choice
        offset = seconds(["", "", ", INTERVAL '2 seconds'"])
        kind = seconds(["TUMBLE", "TUMBLE", "HOP", "CUMULATE"])
        step = seconds([1, 3, 5, 10])
        lengths = {"TUMBLE": f"INTERVAL '{seconds([1, 5, 20, 7])} seconds'", "HOP": f"INTERVAL '{step} seconds', INTERVAL '{seconds([10, 12, 20, 15])} seconds'",
                   "CUMULATE": f"INTERVAL '{step} seconds', INTERVAL '{step * seconds([1, 2, 5])} seconds'"}[kind]
        return f"{kind}({source}, at, {lengths}{offset})"

    def keys(self, columns, most):
        keys = {}
        for i in range(self.random.randint(0, most)):
            text, of_type = self.typed(columns)
            # A constant groups nothing, and is refused.
            if reads(text, columns) and text not in (known for known, _ in keys.values()):
                keys[f"g{i}"] = (text, of_type)
        return keys

    def items(self, columns, keys, of):
        calls = {f"x{i}": self.aggregate(columns, of) for i in range(self.random.randint(1, 4))}
        if self.chance(0.2):
            calls["y"] = (f"coalesce({self.aggregate(columns, [c for c in of if c[1] == 'bigint'])[0]}, 0) + count(*)", "bigint")
        return {**keys, **calls}

    def group_by(self, keys, plain):
        texts = [text for text, _ in keys.values()]
        if not texts or self.chance(0.6):
            return ", ".join(plain + texts), False
        some = self.random.sample(texts, self.random.randint(0, len(texts)))
        sets = self.random.choice([f"ROLLUP ({', '.join(texts)})", f"CUBE ({', '.join(texts)})", f"{texts[0]}, ROLLUP ({', '.join(texts)})",
                                   f"GROUPING SETS (({', '.join(texts)}), ({', '.join(some)}), ())"])
        return ", ".join([*plain, sets]), True

    def grouped(self, relations, windows=0.4, of=AGGREGATES + LISTS, sets=True, most_keys=3):
        """Also whether it has a window."""
        before, source, columns = self.source(relations)
        keys = self.keys(columns, most_keys)
        windowed = self.chance(windows)
        ends = {"window_start": ("window_start", "timestamptz"), "window_end": ("window_end", "timestamptz")} if windowed else {}
        items = {**ends, **self.items(columns, keys, of)}
        by, has_sets = self.group_by(keys, list(ends)) if sets else (", ".join([*ends, *(text for text, _ in keys.values())]), False)
        if has_sets and self.chance(0.7):
            items["level"] = (f"grouping({', '.join(text for text, _ in keys.values())})::integer", "integer")
        having = f" HAVING {self.random.choice(HAVING)}" if self.chance(0.25) else ""
        from_ = self.window(source) if windowed else source
        text = f"{before}SELECT {listed(items)} FROM {from_}{self.where(columns)}{' GROUP BY ' + by if by else ''}{having}"
        return text, types_of(items), windowed


def reads(text, columns):
    return not set(columns).isdisjoint(re.findall(r"\w+", text))


def listed(items):
    return ", ".join(text if text == name else f"{text} AS {name}" for name, (text, _) in items.items())


def types_of(items):
    return {name: of_type for name, (_, of_type) in items.items()}
