#pragma once
#include <memory>

#include "core/backend/backend.h"
#include "core/backend/cpu/routine.h"

namespace vitrine::backend::cpu {

/// The processor, without starting anything.
DeviceInfo describe_cpu();

/// Computes in exact precision only. threads: 0 for all cores. The routine is this machine's remembered one
/// unless given.
std::unique_ptr<Backend> open_cpu(int threads);
std::unique_ptr<Backend> open_cpu(int threads, Routine routine);

/// The same plans in float64, for checking.
Result<std::unique_ptr<LoadedModel>> load_double(const model::Model& model, int threads);

} // namespace vitrine::backend::cpu
