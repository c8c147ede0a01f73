#pragma once
// What a layer's attention patterns are made of, small enough to be kept where the patterns are not: queries
// and keys take O(T · d), patterns O(T²).
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/tensor.h"
#include "core/base/thread_pool.h"
#include "core/model/spec.h"
#include "core/run/plan.h"
#include "core/run/run_spec.h"

namespace vitrine::attention {

/// The hooks whose captures are what scores are made of: after norm and rotation. Where a policy counts
/// positions inside the cache, queries before rotation: sinks meet them rotated otherwise than other keys do.
struct ScoreHooks {
    std::string q, k;
};
ScoreHooks score_hooks(const model::ModelSpec& spec, int layer, const run::AttentionPolicy& policy = {});

/// How queries are still to be rotated.
struct QueryRotation {
    run::Rotate op;        ///< of no plan; for the keys of the window
    run::Rotate for_sinks; ///< the same for the sinks outside of it
    SharedTensor cos, sin; ///< [positions, dims / 2]
};

/// What a head's cells are.
enum class Cells {
    weight,        ///< after the softmax: hook_pattern
    score,         ///< before it: hook_attn_scores; where the mask hides a key there is no cell
    value_weighted ///< weight · ‖v W_O‖; needs LayerScores::norms
};

/// ‖v_k W_O‖: what the attention to a key moves.
struct ValueNorms {
    int tokens = 0;
    std::vector<double> values; ///< [heads, tokens]

    const double* of(int head) const { return values.data() + std::ptrdiff_t{head} * tokens; }
};

/// Everything that the scores of one layer and row need.
struct LayerScores {
    run::AttentionSpec spec; ///< its key_bias counts in `constants` of no plan: see key_bias
    int tokens = 0;
    SharedTensor q;        ///< [tokens, heads, d_head]
    SharedTensor k;        ///< [tokens, kv_heads, d_head]
    SharedTensor key_bias; ///< [heads, tokens or more]; nullptr without ALiBi
    std::shared_ptr<const QueryRotation> rotation = nullptr; ///< nullptr: q is as scores take it
    std::shared_ptr<const ValueNorms> norms = nullptr;       ///< nullptr until somebody asked for them
};

/// Takes the captures of score_hooks() out of a row that was run under this policy. not_found if they were
/// not captured.
Result<LayerScores> take_layer_scores(const model::ModelSpec& spec, int layer, run::RowResult& row,
                                      const run::AttentionPolicy& policy = {});

/// Norms of what each head's values become in the residual stream. v: the capture of hook_v [tokens,
/// kv_heads, d_head]; w_o: [heads · d_head, d_model]. Sums in float64.
ValueNorms value_norms(const model::ModelSpec& spec, const Tensor& v, const Tensor& w_o, ThreadPool& pool);

/// Bytes of every pattern of a row of `tokens` tokens, and of what take_layer_scores() keeps instead.
std::uint64_t pattern_bytes(const model::ModelSpec& spec, std::int64_t tokens);
std::uint64_t score_bytes(const model::ModelSpec& spec, std::int64_t tokens);
/// Whether all patterns of a row are more than a window keeps: 256 MiB, or VITRINE_PATTERN_MIB of the
/// environment.
bool patterns_are_too_large(const model::ModelSpec& spec, std::int64_t tokens);

} // namespace vitrine::attention
