// What a service manager is told (sd_notify(3)): "READY=1", "STOPPING=1". Nothing where there is none.
#pragma once

#include <string_view>

namespace millrace::node {

void notify_service_manager(std::string_view state);

}  // namespace millrace::node
