#pragma once
// Hook names: the legacy names of TransformerLens are ours; its 3.x names and short names are accepted.
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/spec.h"

namespace vitrine::model {

/// A place in the forward pass that can be captured and edited.
struct HookInfo {
    std::string name;              ///< "blocks.3.attn.hook_pattern"
    std::vector<std::string> axes; ///< "batch" first, then "pos", "head", "d_head", "query", "key", …
    std::vector<int> shape;        ///< sizes of the axes; −1 where they depend on the run
};

/// Every hook of a model, in the order of the forward pass.
std::vector<HookInfo> hooks_of(const ModelSpec& spec);

/// The hooks that a name, a glob (`*`, `?`, `[…]`), a 3.x name, a short name ("pattern3", "L3H5" → hook_z)
/// means, in the order of hooks_of. not_found with the nearest names if there is none.
Result<std::vector<HookInfo>> match_hooks(const ModelSpec& spec, std::string_view pattern);

} // namespace vitrine::model
