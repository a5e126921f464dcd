#include "event-store/live_frame.h"

#include <algorithm>

namespace millrace::event_store {

Result<std::shared_ptr<const RowPage>> LiveFrame::rows(RowMaker& maker,
                                                       std::optional<PartitionId> partition) {
  const auto same = [&](const Made& made) { return made.maker == &maker && made.partition == partition; };
  const auto found = std::find_if(made_.begin(), made_.end(), same);
  if (found != made_.end()) return found->page;
  auto page = std::make_shared<RowPage>();
  TRY(maker.append(frame_, EventFilter{maker.stream().id, partition}, 0, *page));
  made_.push_back({&maker, partition, page});
  return std::shared_ptr<const RowPage>(std::move(page));
}

}  // namespace millrace::event_store
