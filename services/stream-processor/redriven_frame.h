// A dead letter's event as a frame of its own: a task decodes it as it decodes the log.
#pragma once

#include "engine/letters.h"
#include "log/journal.h"

namespace millrace::processor {

// `cut`, `time`: of the frame that says that it is taken again.
log::FramePtr redriven_frame(const engine::LetterEvent& event, Cut cut, AppendTime time);

}  // namespace millrace::processor
