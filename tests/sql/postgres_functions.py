#!/usr/bin/env python3
"""Compares the function table with PostgreSQL 15: random calls of every signature, evaluated by both.

PROGRAM is sql_function_calls, COUNT the calls of a signature. docs/sql/reference.md lists what differs on purpose."""
import decimal
import math
import re

import postgres

# By name, and why.
EXCLUDED = {
    **dict.fromkeys(("split_index", "regexp_extract", "to_base64", "from_base64", "hex", "instr", "locate", "truncate", "url_encode", "url_decode", "to_precision", "date_format", "to_timestamp_ltz", "json_value", "json_query", "json_exists", "interval_of", "interval_months",
                     "interval_days", "interval_microseconds", "timestampadd", "timestampdiff", "unix_timestamp"), "functions that PostgreSQL does not have"),
    "jsonb_build_object": "`jsonb_build_object`: PostgreSQL takes no jsonb as a name, the binder makes one of every argument here",
    "similar_to_escape": "the text of `similar_to_escape`: what it matches is compared",
}
# Written in another way there.
SPELLED = {
    **{f"sha{n}": f"encode(sha{n}(convert_to({{0}}, 'UTF8')), 'hex')" for n in (224, 256, 384, 512)},
    "jsonb_pretty": "replace(jsonb_pretty({0}), chr(10), '|')",  # a line an answer
    "extract": "pg_catalog.extract({0})",
    "position": "pg_catalog.position({swapped})",  # the plain call has its arguments the other way round
}
# With marks for the arguments: an array's function that is written as an operator.
OPERATORS = {
    "array": "ARRAY[{all}]",
    "array_element": "({0})[{1}]",
    "array_slice": "({0})[{1}:{2}]",
    "jsonb_delete_names": "{0} - {1}",
    "jsonb_at": "{0} #> {1}",
    "jsonb_at_text": "{0} #>> {1}",
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "bitwise_xor": "{0} # {1}",
    "bitwise_not": "~ {0}",
    "shift_left": "{0} << {1}",
    "shift_right": "{0} >> {1}",
    "array_any": "{1} {op} ANY ({2})",
    "array_all": "{1} {op} ALL ({2})",
}
ARGUMENT = re.compile(r"(?:'(?:[^']|'')*'|NULL)::[a-z ]+(?:\[\])?")
# Their texts here: RFC 3339.
TIMES = 'YYYY-MM-DD"T"HH24:MI:SS.US'
TIMESTAMPS = {"timestamp with time zone": '"Z"', "timestamp without time zone": ""}
INTEGERS = {"left", "right", "repeat", "lpad", "rpad", "substr", "substring", "overlay", "get_byte", "set_byte", "set_bit", "split_part", "chr", "width_bucket", "make_date", "make_time", "make_timestamp", "make_timestamptz", "make_interval", "jsonb_delete",
            "jsonb_array_element", "jsonb_array_element_text", "round", "trunc"}


def sql_for(name, result, args):
    if name in INTEGERS:
        args = args.replace("::bigint", "::int")
    if name in OPERATORS:
        parts = ARGUMENT.findall(args)
        call = OPERATORS[name].format(*parts, all=args, op=parts[0].removesuffix("::text").strip("'"))
        return f"to_char({call}, '{TIMES}{TIMESTAMPS[result]}')" if result in TIMESTAMPS else f"({call})::text"
    parts = re.split(r"(?<=text), (?=')|(?<=text), (?=NULL)", args)
    spelled = {} if result == "bytea" else SPELLED  # a digest of bytes is PostgreSQL's own
    call = spelled.get(name, name + "({0})").format(args, swapped=", ".join(reversed(parts)))
    if result in TIMESTAMPS:
        return f"to_char({call}, '{TIMES}{TIMESTAMPS[result]}')"
    return f"({call})::text"


def array_text(result, text):
    """As it is printed here: RFC 3339 in UTC, and numerics without needless zeros."""
    if result.startswith("timestamp"):
        zone = "Z" if "with time zone" in result else ""
        return re.sub(r'"([^" ]+) ([^"+]+)(?:\+00)?"', rf"\1T\2{zone}", text)
    return re.sub(r"(\.\d*?)0+(?=[,}])", r"\1", text).replace(".,", ",").replace(".}", "}") if "numeric" in result else text


def same(result, ours, theirs):
    if theirs.startswith("ERROR ") and "does not exist" not in theirs:
        return ours.startswith("MR-SQL-")
    if result in TIMESTAMPS and "." in theirs:
        theirs = re.sub(r"\.?0*(Z?)$", r"\1", theirs)
    if result.endswith("[]"):
        theirs = array_text(result, theirs)
    if result == "numeric" and "." in theirs:  # zeros at the end are not kept here
        theirs = theirs.rstrip("0").rstrip(".")
    if ours == theirs:
        return True
    if result != "double precision" or "NULL" in (ours, theirs) or ours.startswith("MR-"):
        return False
    # The last digit of a power or a logarithm may differ: the compiler and the library choose.
    return math.isclose(float(ours), float(theirs), rel_tol=4e-16)


def is_longer(ours, theirs):
    return ours == "MR-SQL-0102" and re.fullmatch(r"-?[\d.]{1000,}", theirs)


def is_nearest(name, args, ours, theirs):
    """Whether our root, power or logarithm is the nearest number of as many digits as theirs has."""
    arguments = re.findall(r"'([^']*)'::numeric", args)
    if name not in ("power", "pow", "exp", "ln", "log", "log10") or not arguments or ours.startswith("MR-") or not re.fullmatch(r"-?\d+(\.\d+)?", theirs):
        return False
    with decimal.localcontext(decimal.Context(prec=2_500)):
        x, *more = map(decimal.Decimal, arguments)
        if name in ("ln", "log", "log10"):
            answer = (more[0].ln() / x.ln() if more else x.ln() if name == "ln" else x.log10())
        else:
            answer = x ** more[0] if more else x.exp()
        nearest = answer.quantize(decimal.Decimal(theirs), rounding=decimal.ROUND_HALF_UP)
        return nearest == decimal.Decimal(ours)


# Why a difference is none, and when: by name, arguments, our answer, theirs.
EXCUSES = {
    "a time before the year 1 or after the year 9999": lambda name, args, ours, _:
        name in ("date_trunc", "date_bin", "timezone", "to_date", "to_timestamp") and ours == "MR-SQL-0104"
        or name.startswith("make_") and ours == "MR-SQL-0120" and re.match(r"'-\d+'", args),
    "seconds of `make_interval` beyond an interval's range, where PostgreSQL's go round": lambda name, _, ours, theirs:
        name == "make_interval" and ours == "MR-SQL-0105",
    "`to_char` of an integer with V whose power of ten is beyond an integer, where PostgreSQL's goes round":
        lambda name, args, ours, _:
        name == "to_char" and "::integer" in args and re.search(r"[Vv]", args) and ours == "MR-SQL-0102",
    "a timestamp as text: RFC 3339 in UTC": lambda name, args, ours, theirs:
        name == "to_jsonb" and "+00:00" in theirs and ours == theirs.replace("+00:00", "Z")
        or name == "array_to_string" and "timestamp" in args
        and ours == re.sub(r"(-\d\d) (\d\d:)", r"\1T\2", theirs).replace("+00", "Z"),
    "the order of jsonb, which is not there": lambda name, args, ours, _:
        name in ("array_any", "array_all") and "::jsonb[]" in args and ours == "MR-SQL-0120",
    "`array_fill` with more than one dimension": lambda name, args, ours, _:
        name == "array_fill" and ours == "MR-SQL-0120" and re.search(r",[^']*'::integer\[\]$", args),
    "the last digit of an exponential, a power or a logarithm that PostgreSQL rounds the wrong way": is_nearest,
    "a numeric of more than 1,000 digits": lambda _, __, ours, theirs: is_longer(ours, theirs),
    "-0 in an array, which holds 0": lambda name, _, ours, theirs:
        name.startswith("array") and ours == re.sub(r"-0(?=[,}])", "0", theirs),
    "`width_bucket` just below the last bucket's end, where PostgreSQL's rounding or its overflow carries it over":
        lambda name, args, ours, _: name == "width_bucket" and re.search(rf"'{ours}'::bigint$", args),
}


def compare(server, program, seed, count):
    calls = [call for call in postgres.lines_of(program, seed, count) if call[0] not in EXCLUDED]
    theirs = server.values(sql_for(name, result, args) for name, result, args, _ in calls)
    different = 0
    for (name, result, args, ours), value in zip(calls, theirs, strict=True):
        if same(result, ours, value) or any(holds(name, args, ours, value) for holds in EXCUSES.values()):
            continue
        different += 1
        print(f"{name}({args}): {ours!r} here, {value!r} there")
    print(f"seed {seed}: {len(calls)} calls of {len({call[0] for call in calls})} functions, {different} differ")
    return different == 0


if __name__ == "__main__":
    postgres.main(compare, 60, {*EXCLUDED.values(), *EXCUSES})
