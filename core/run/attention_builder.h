#pragma once
#include "core/run/plan_writer.h"
#include "core/run/rotary.h"

namespace vitrine::run {

/// Writes the attention of one block after another: from what it reads to the sum over heads.
class AttentionBuilder {
public:
    explicit AttentionBuilder(PlanWriter& plan);

    /// `residual`: what the block reads; `input`: the same after the norm before attention, where there is
    /// one. Returns W_O's product with b_O. unsupported: edits that contradict each other.
    Result<ValueId> write(int layer, ValueId residual, ValueId input);

private:
    void tables();
    Status check_inputs(int layer) const;
    ValueId project(int layer, const char* letter, const char* input, ValueId residual, ValueId normed,
                    int heads);
    ValueId unrotated(int layer, char letter, ValueId in, int heads);
    ValueId rotated(int layer, char letter, ValueId in, int heads);
    ValueId rotated_for_sinks(int layer, ValueId q);
    AttentionSpec attention_spec(int layer) const;
    ValueId mix(int layer, ValueId q, ValueId q_sinks, ValueId k, ValueId v);
    ValueId sum_of_heads(int layer, ValueId z);

    struct Rotation {
        ConstantId cos = absent, sin = absent;
        std::vector<int> first;
    };

    PlanWriter& plan_;
    const model::ModelSpec& spec_;
    std::vector<Rotation> rotations_;
    ConstantId key_bias_ = absent;
};

} // namespace vitrine::run
