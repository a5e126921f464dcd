#!/usr/bin/env python3
"""The configuration: the file, the environment and flags, as a start takes them and as `millrace config` tells of them; the
commands of docs/deployment/configuration.md."""
import os
import re
import subprocess

from harness import ROOT, main

PAGE = os.path.join(ROOT, "docs/deployment/configuration.md")


def written(test, text, name="millrace.yaml"):
    path = os.path.join(test.root, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def blocks(language):
    with open(PAGE, encoding="utf-8") as f:
        return re.findall(rf"^```{language}\n(.*?)^```", f.read(), re.S | re.M)


def a_start(test):
    """What the file and the environment say holds: seen by what the server does."""
    server = test.server(options=["--config", written(test, "max_body_mb: 1\nmax_connections: 77\nworkers: 3\n")])
    server.start()  # its --workers 1 goes before the file
    server.sql("CREATE STREAM s (id BIGINT)")
    refused = server.refusal("POST", "/v1/streams/s/events", b" " * 1_500_000 + b'{"id":1}',
                             {"Content-Type": "application/json"})
    assert refused.problem["code"] == "MR-API-0003", refused.body
    assert "1 worker," in server.tail(), server.tail()
    server.stop()
    os.environ["MILLRACE_MAX_BODY_MB"] = "2"
    try:
        server.start()
        assert server.call("POST", "/v1/streams/s/events", b" " * 1_500_000 + b'{"id":1}', {"Content-Type": "application/json"})
    finally:
        del os.environ["MILLRACE_MAX_BODY_MB"]


def a_wrong_configuration(test):
    """Everything that is wrong, with its place; and nothing starts."""
    path = written(test, "data: x\nmax-body-mb: 8\nworkers: 65\ntokens: [a]\ndata: y\n")
    data = os.path.join(test.root, "never")
    for arguments in (["config", "check", path], ["config", "show", "--config", path],
                      ["serve", "--data", data, "--config", path]):
        done = test.cli(*arguments)
        assert done.returncode == (1 if "check" in arguments else 2), done
        places = re.findall(rf"^{re.escape(path)}:(\d+:\d+): error (MR-CLI-\d+): ", done.stderr, re.M)
        assert places == [("2:1", "MR-CLI-0027"), ("3:10", "MR-CLI-0029"), ("4:9", "MR-CLI-0029"), ("5:1", "MR-CLI-0028")], done
        assert 'hint: did you mean "max_body_mb"?' in done.stderr and not done.stdout, done
    assert not os.path.exists(data)
    good = written(test, "workers: 2\n")
    done = test.cli("config", "show", "--config", good, env={"MILLRACE_WORKERS": "0", "MILLRACE_STATE_MB": "x"})
    assert done.returncode == 2 and done.stderr.count("MR-CLI-0029") == 2, done
    for content, code in ((" " * 10_000_000, "0026"), ("[" * 200_000, "0026"), ("\tdata: x", "0026"), ("a: &a [*a, *a]", "0027")):
        done = test.cli("config", "check", written(test, content), timeout=20)
        assert done.returncode == 1 and f"MR-CLI-{code}" in done.stderr and len(done.stderr) < 2000, done
    for content, code in (("http: events.example.com:80", "0010"), ("http: x", "0010"), ("https: 0.0.0.0:8443", "0011"), ("http: off", "0011")):
        path = written(test, content)
        for done in (test.cli("config", "check", path), test.cli("serve", "--data", data, "--config", path)):
            assert done.returncode in (1, 2) and f"MR-NODE-{code}" in done.stderr, (content, done)
    done = test.cli("serve", "--config", "/there/is/nothing")
    assert done.returncode == 2 and "MR-CLI-0025: cannot read the configuration /there/is/nothing: No such file" in done.stderr, done


def what_is_shown(test):
    path = written(test, "workers: 2\nidle_seconds: 7\nallow_host: [a.example.com]\nstate_mb: 9\n")
    done = test.cli("config", "show", "--origin", "--config", path, "--state-mb", "11", env={"MILLRACE_IDLE_SECONDS": "8"})
    assert done.returncode == 0 and not done.stderr, done
    lines = dict(re.findall(r"^(\w+): (.*)$", done.stdout, re.M))
    origins = {name: tuple(re.split(r" +# ", text)) for name, text in lines.items()}
    assert origins["workers"] == ("2", f"{path}:1"), origins
    assert origins["idle_seconds"] == ("8", "MILLRACE_IDLE_SECONDS"), origins
    assert origins["state_mb"] == ("11", "--state-mb"), origins
    assert origins["data"] == ('"./data"', "default"), origins
    by_variable = test.cli("config", "show", env={"MILLRACE_CONFIG": path})
    again = test.cli("config", "show", "--config", written(test, by_variable.stdout, "again.yaml"))
    assert again.stdout == by_variable.stdout and "allow_host: [\"a.example.com\"]\n" in again.stdout, again
    assert test.cli("config", "check", path).stdout == f"{path}: 4 settings, all good\n"


def the_page(test):
    here = os.path.join(test.root, "page")
    os.mkdir(here)
    for block in blocks("yaml"):
        assert test.cli("config", "check", written(test, block)).returncode == 0, block
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) >= 4
    for line in commands:
        done = subprocess.run(line, shell=True, cwd=here, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "PATH": os.path.dirname(test.binary) + ":" + os.environ["PATH"]})
        assert done.returncode == 0 and not done.stderr, (line, done)


if __name__ == "__main__":
    main([a_start, a_wrong_configuration, what_is_shown, the_page])
