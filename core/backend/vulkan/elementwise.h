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
Status record(Execution& execution, const run::Pointwise& op);
Status record(Execution& execution, const run::Rotate& op);
Status record(Execution& execution, const run::Capture& op);

/// What Pointwise does to `items` groups of four.
void record_pointwise(Execution& execution, run::PointwiseKind kind, float x, Slice in, Slice out,
                      std::uint32_t items);

} // namespace vitrine::backend::vulkan
