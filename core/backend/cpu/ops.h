#pragma once
// One function an op. All are instantiated for float and double; ops may stop early when cancelled.
#include <functional>

#include "core/backend/cpu/context.h"

namespace vitrine::backend::cpu {

template <typename S>
void execute(const run::Constant& op, Context<S>& context);
template <typename S>
void execute(const run::Embed& op, Context<S>& context);
template <typename S>
void execute(const run::PositionEmbed& op, Context<S>& context);
template <typename S>
void execute(const run::Add& op, Context<S>& context);
template <typename S>
void execute(const run::Repeat& op, Context<S>& context);
template <typename S>
void execute(const run::Norm& op, Context<S>& context);
template <typename S>
void execute(const run::NormScale& op, Context<S>& context);
template <typename S>
void execute(const run::NormApply& op, Context<S>& context);
template <typename S>
void execute(const run::NormAffine& op, Context<S>& context);
template <typename S>
void execute(const run::Linear& op, Context<S>& context);
template <typename S>
void execute(const run::HeadLinear& op, Context<S>& context);
template <typename S>
void execute(const run::HeadResult& op, Context<S>& context);
template <typename S>
void execute(const run::SumHeads& op, Context<S>& context);
template <typename S>
void execute(const run::Rotate& op, Context<S>& context);
template <typename S>
void execute(const run::CacheAppend& op, Context<S>& context);
template <typename S>
void execute(const run::Attention& op, Context<S>& context);
template <typename S>
void execute(const run::AttentionScores& op, Context<S>& context);
template <typename S>
void execute(const run::AttentionPattern& op, Context<S>& context);
template <typename S>
void execute(const run::SigmoidPattern& op, Context<S>& context);
template <typename S>
void execute(const run::AttentionMix& op, Context<S>& context);
template <typename S>
void execute(const run::Activate& op, Context<S>& context);
template <typename S>
void execute(const run::Pointwise& op, Context<S>& context);
template <typename S>
void execute(const run::Select& op, Context<S>& context);
template <typename S>
void execute(const run::Edit& op, Context<S>& context);
template <typename S>
void execute(const run::Capture& op, Context<S>& context);
template <typename S>
void execute(const run::LogitStats& op, Context<S>& context);

/// What Pointwise does, in place.
template <typename S>
void pointwise(run::PointwiseKind kind, float x, std::int64_t count, S* values);

} // namespace vitrine::backend::cpu
