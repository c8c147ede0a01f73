#pragma once
#include "core/backend/vulkan/execution.h"

namespace vitrine::backend::vulkan {

Status record(Execution& execution, const run::Constant& op);
Status record(Execution& execution, const run::Embed& op);
Status record(Execution& execution, const run::PositionEmbed& op);
Status record(Execution& execution, const run::Add& op);
Status record(Execution& execution, const run::Repeat& op);
Status record(Execution& execution, const run::Select& op);
Status record(Execution& execution, const run::SumHeads& op);
Status record(Execution& execution, const run::Activate& op);
Status record(Execution& execution, const run::Rotate& op);
Status record(Execution& execution, const run::Capture& op);

} // namespace vitrine::backend::vulkan
