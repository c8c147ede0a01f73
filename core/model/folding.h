#pragma once
// The two coordinate systems of a model: raw, as its file has it, and folded, in which every norm's weight
// and bias is part of the matrix behind it, what is written into the residual stream has mean zero, logits
// have mean zero and values have no bias. Both compute the same probabilities.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/tensor.h"
#include "core/model/model.h"

namespace vitrine::model {

/// A folded weight; a vector has one row.
template <typename T>
struct FoldedWeight {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::vector<T> data;
};

/// A model's weights and hooked values in folded coordinates, worked out when they are asked for: the model
/// stays as it is. As TransformerLens' fold_ln, center_writing_weights, center_unembed and fold_value_biases
/// define them (all four; for RMSNorm the residual stream is not centred; logits with a soft-cap are not, nor
/// do values lose their bias where they are clipped). Not in TransformerLens: the norm behind BLOOM's
/// embedding counts as writing into the residual stream, so hook_embed has mean zero there.
class Folding {
public:
    /// unsupported where a LayerNorm does not stand between the residual stream and all that reads it.
    static Status possible(const ModelSpec& spec);

    /// `model`, for which this must be possible, outlives this.
    explicit Folding(const Model& model) : model_(model), centred_(model.spec.norm.kind == NormKind::layer) {}

    /// Whether the folded model has no such weight, and no other either: it has become part of another.
    std::optional<Tensor> weight(const std::string& name) const;

    /// The same, rounded to T only once (float or double); all sums are in double precision.
    template <typename T>
    std::optional<FoldedWeight<T>> folded(const std::string& name) const;

    /// The hook whose raw value this hook has in the folded model: what a norm gives before its weight.
    std::optional<std::string> stands_for(const std::string& hook) const;

    /// Changes a raw value of a hook ([pos, …] as captured) into the folded one; hooks with stands_for() are
    /// left alone.
    void read_out(const std::string& hook, Tensor& value) const;

    /// Mean over the vocabulary of the raw logits at one position, from unembed.hook_in there: what folding
    /// takes off every one of them. 0 where logits are not centred.
    double mean_logit(const float* unembed_in) const;

private:
    using Vector = std::vector<double>;

    std::string norm_before(const std::string& block, const std::string& part) const;
    Vector vector(const std::string& name) const; ///< empty if the model has none
    std::optional<Tensor> raw(const std::string& name) const;
    Vector read_bias(const std::string& block, const std::string& part) const;
    Vector value_bias(const std::string& block) const;  ///< [kv_heads · d_head], empty if there is none
    Vector result_bias(const std::string& block) const; ///< [heads, d_model]: what it adds through W_O
    Vector write_bias(const std::string& block, const std::string& part) const;
    template <typename T>
    FoldedWeight<T> reading(const std::string& block, const std::string& part) const;
    template <typename T>
    FoldedWeight<T> writing(const Tensor& raw) const;
    bool centres_logits() const { return model_.spec.logit_cap == 0.0F; }
    bool moves_values() const { return model_.spec.qkv_clip == 0.0F; }

    const Model& model_;
    bool centred_;                               ///< the residual stream has mean zero (LayerNorm)
    mutable std::map<std::string, Vector> kept_; ///< vectors that several values need
};

} // namespace vitrine::model
