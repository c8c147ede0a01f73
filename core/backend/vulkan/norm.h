#pragma once
#include "core/backend/vulkan/execution.h"

namespace vitrine::backend::vulkan {

Status record(Execution& execution, const run::Norm& op);
Status record(Execution& execution, const run::NormScale& op);
Status record(Execution& execution, const run::NormApply& op);
Status record(Execution& execution, const run::NormAffine& op);

} // namespace vitrine::backend::vulkan
