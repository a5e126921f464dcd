// Time zones of tzdata: what a clock shows there at a moment, and the moment at which it shows that.
//
// Names:  as in PostgreSQL, whatever the case of their letters; only those that the machine's tzdata has, so a
//         row's text never makes anybody open another file.
// Clocks: one that is set forward skips times: they count as if it had not been set yet. One that is set back
//         shows times twice: the later time counts. Both as in PostgreSQL.
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::engine {

bool is_time_zone(std::string_view name);
// Microseconds since 1970 of UTC's clock to the zone's, and back. nullopt: no such zone.
std::optional<int64_t> clock_in_zone(std::string_view zone, int64_t moment);
std::optional<int64_t> moment_in_zone(std::string_view zone, int64_t clock);

}  // namespace millrace::engine
