#pragma once
// Captures of one head's pattern or scores, "blocks.3.attn.hook_pattern@5": where those of a whole layer
// would be too much, one head's are made from queries and keys after the run, with the bits of the whole.
#include "core/attention/layer_scores.h"
#include "core/base/cancel.h"
#include "core/model/spec.h"
#include "core/run/run_spec.h"

namespace vitrine::engine {

class HeadCaptures {
public:
    /// Takes such captures out of a spec and puts in what they are made from. unsupported: an edit changes
    /// the layer's scores or pattern, which queries and keys then do not tell.
    static Result<HeadCaptures> take(const model::ModelSpec& model, run::RunSpec& spec);

    /// Adds the patterns to the rows, [1, query, key], under the names that were asked for.
    Status fill(const model::ModelSpec& model, run::RunResult& result, const CancelToken& cancel) const;

private:
    struct Wanted {
        int layer, head;
        attention::Cells cells;
        std::string name;
    };
    std::vector<Wanted> wanted_;
    run::AttentionPolicy policy_; ///< of the run
};

/// Layers whose scores or patterns an edit changes.
std::vector<bool> layers_with_changed_attention(const model::ModelSpec& model,
                                                const std::vector<run::EditSpec>& edits);

} // namespace vitrine::engine
