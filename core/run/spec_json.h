#pragma once
#include "core/run/generate.h"
#include "core/run/run_spec.h"

namespace vitrine::run {

/// What to_json wrote, tensors included; malformed otherwise.
Result<RunSpec> run_spec_from_json(const Json& json);
Result<GenerateSpec> generate_spec_from_json(const Json& json);

} // namespace vitrine::run
