#!/usr/bin/env python3
"""What bad input gets: a clear error with a stable code, and nothing is lost. The cases are tables in bad_input/, one
file an edge; a case is a line."""
from bad_input import access, bombs, disk, events, frames, requests, statements, tenants
from harness import main

if __name__ == "__main__":
    main(events.TESTS + requests.TESTS + frames.TESTS + bombs.TESTS + access.TESTS + statements.TESTS + tenants.TESTS
         + disk.TESTS)
