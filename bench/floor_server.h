// The bare server: reads HTTP requests, appends their bodies to a file, syncs, answers, and pushes one event
// in ten to a subscriber. Nothing else: what it needs is the floor under what a durable server can do on this
// machine.
//
// Shape: one epoll loop; one thread that writes and syncs, one group at a time; what arrives meanwhile is the
//        next group. Direct writes over a pre-written file, in whole blocks of 4 KB: the same pattern as the
//        journal's.
#pragma once

#include <string>

#include "base/result.h"

namespace millrace::bench {

// Listens on a free port of loopback, writes it to directory/http.port, serves until it is killed.
Status run_floor_server(const std::string& directory);

}  // namespace millrace::bench
