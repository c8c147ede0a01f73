#pragma once
// From a model's spec to a plan: the forward pass written once for every family, with edits and captures at
// the hooks where they are asked for.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/model/hooks.h"
#include "core/model/model.h"
#include "core/run/plan.h"
#include "core/run/run_spec.h"

namespace vitrine::run {

/// Edits of one hook whose boxes and tensors are known. EditEntry::tensor indexes BuildRequest::constants.
using HookEdits = std::map<std::string, std::vector<EditEntry>>;

struct BuildRequest {
    Batch batch;
    std::set<std::string> captures; ///< hook names
    HookEdits edits;
    std::vector<SharedTensor> constants; ///< that the edits refer to; the plan's first constants
    std::vector<int> stat_rows;          ///< packed tokens whose next-token statistics are wanted
    std::vector<std::int32_t> targets;   ///< as LogitStats::targets
    int top = 0;
    std::vector<std::int32_t> watch; ///< as LogitStats::watch
    std::vector<int> logit_rows;     ///< packed tokens whose logits are returned
    AttentionPolicy attention;       ///< one that check_policy() accepts
    bool cached = false;             ///< keys and values come from, and go to, a cache
};

/// What Outputs::captures[slot] holds.
struct CaptureSlot {
    std::string hook;              ///< empty for the logits of BuildRequest::logit_rows
    std::vector<std::string> axes; ///< without the batch axis
    Value value;
};

struct BuiltPlan {
    Plan plan;
    std::vector<CaptureSlot> captures; ///< by slot
};

/// Edits and captures must name hooks of the model. unsupported: edits that contradict each other.
Result<BuiltPlan> build_plan(const model::Model& model, const BuildRequest& request);

} // namespace vitrine::run
