#include "app/cli/flop.h"

#include <algorithm>

namespace vitrine::cli {

namespace {

struct Count {
    const run::Plan& plan;
    const model::Model& model;

    std::uint64_t product(model::WeightId id, std::int64_t rows) const {
        const model::Weight& weight = model.at(id);
        return 2 * static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(weight.rows) *
               static_cast<std::uint64_t>(weight.cols);
    }
    std::int64_t rows_of(run::ValueId id) const { return plan.values[static_cast<std::size_t>(id)].count; }
    /// Of one of attention's two products.
    std::uint64_t pairs(const run::AttentionSpec& spec, run::ValueId queries) const {
        const run::Batch& batch = plan.batch_of(queries);
        std::uint64_t seen = 0;
        for (int n = 0; n < batch.size(); ++n) {
            const int all = batch.position(n) + 1;
            seen += static_cast<std::uint64_t>(spec.window > 0 ? std::min(spec.window, all) : all);
        }
        return 2 * seen * static_cast<std::uint64_t>(spec.heads) * static_cast<std::uint64_t>(spec.d_head);
    }

    std::uint64_t operator()(const run::Linear& op) const { return product(op.weight, rows_of(op.in)); }
    std::uint64_t operator()(const run::HeadLinear& op) const { return product(op.weight, rows_of(op.in)); }
    std::uint64_t operator()(const run::HeadResult& op) const { return product(op.weight, rows_of(op.in)); }
    std::uint64_t operator()(const run::Attention& op) const { return 2 * pairs(op.spec, op.q); }
    std::uint64_t operator()(const run::AttentionScores& op) const { return pairs(op.spec, op.q); }
    std::uint64_t operator()(const run::AttentionMix& op) const { return pairs(op.spec, op.pattern); }
    std::uint64_t operator()(const run::LogitStats& op) const {
        return op.logits == run::absent ? product(op.weight, static_cast<std::int64_t>(op.rows.size())) : 0;
    }
    template <typename Other>
    std::uint64_t operator()(const Other&) const {
        return 0;
    }
};

} // namespace

std::uint64_t flop_of(const run::Plan& plan, const model::Model& model) {
    std::uint64_t total = 0;
    for (const run::Op& op : plan.ops)
        total += std::visit(Count{plan, model}, op);
    return total;
}

} // namespace vitrine::cli
