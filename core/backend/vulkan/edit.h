#pragma once
#include "core/backend/vulkan/execution.h"

namespace vitrine::backend::vulkan {

Status record(Execution& execution, const run::Edit& op);

} // namespace vitrine::backend::vulkan
