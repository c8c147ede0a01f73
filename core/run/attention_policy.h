#pragma once
// What an attention policy (run_spec.h) means inside a plan.
#include "core/run/plan.h"
#include "core/run/run_spec.h"

namespace vitrine::run {

/// Which keys the heads of a layer see, into its attention.
void set_policy(const AttentionPolicy& policy, int layer, AttentionSpec& attention);

/// Whether sinks outside the window meet a query that is rotated for them: in a cache that counts positions
/// inside itself.
bool rotates_for_sinks(const model::ModelSpec& model, int layer, const AttentionPolicy& policy);

} // namespace vitrine::run
