#pragma once
// Captured values are written where they will be returned, so that capturing them costs no copy.
#include <vector>

#include "core/backend/backend.h"
#include "core/base/thread_pool.h"

namespace vitrine::backend::cpu {

/// Makes the tensors of all capture slots, on all threads. Their contents are zeros.
std::vector<Tensor> make_captures(const run::Plan& plan, ThreadPool& pool);

/// By value: the slot whose tensor can hold the value while the plan runs, because nothing writes the value
/// after it is captured; else absent. A value has one such slot at most.
std::vector<int> slots_in_place(const run::Plan& plan);

} // namespace vitrine::backend::cpu
