#include "core/run/plan.h"

#include <algorithm>
#include <type_traits>

namespace vitrine::run {

int Batch::row_of(int packed) const {
    const auto after = std::upper_bound(row_start.begin(), row_start.end(), packed);
    return static_cast<int>(after - row_start.begin()) - 1;
}

int Batch::position(int packed) const {
    const auto row = static_cast<std::size_t>(row_of(packed));
    return past[row] + packed - row_start[row];
}

std::int64_t Value::elements(const Batch& batch) const {
    if (layout == Layout::tokens) return count * heads * width;
    std::int64_t sum = 0;
    for (int row = 0; row < batch.rows(); ++row)
        sum += static_cast<std::int64_t>(heads) * batch.queries(row) * batch.keys(row);
    return sum;
}

int table_line(const Rotate& op, const Batch& batch, int packed) {
    const int first = op.first.empty() ? 0 : op.first[static_cast<std::size_t>(batch.row_of(packed))];
    const int position = batch.position(packed);
    return first + (op.last == absent ? position : std::min(position, op.last));
}

namespace {

struct Names {
    const char* operator()(const Constant&) const { return "constant"; }
    const char* operator()(const Embed&) const { return "embed"; }
    const char* operator()(const PositionEmbed&) const { return "position-embed"; }
    const char* operator()(const Add&) const { return "add"; }
    const char* operator()(const Repeat&) const { return "repeat"; }
    const char* operator()(const Norm&) const { return "norm"; }
    const char* operator()(const NormScale&) const { return "norm-scale"; }
    const char* operator()(const NormApply&) const { return "norm-apply"; }
    const char* operator()(const NormAffine&) const { return "norm-affine"; }
    const char* operator()(const Linear&) const { return "linear"; }
    const char* operator()(const HeadLinear&) const { return "head-linear"; }
    const char* operator()(const HeadResult&) const { return "head-result"; }
    const char* operator()(const SumHeads&) const { return "sum-heads"; }
    const char* operator()(const Rotate&) const { return "rotate"; }
    const char* operator()(const CacheAppend&) const { return "cache-append"; }
    const char* operator()(const Attention&) const { return "attention"; }
    const char* operator()(const AttentionScores&) const { return "attention-scores"; }
    const char* operator()(const AttentionPattern&) const { return "attention-pattern"; }
    const char* operator()(const AttentionMix&) const { return "attention-mix"; }
    const char* operator()(const Activate&) const { return "activate"; }
    const char* operator()(const Pointwise&) const { return "pointwise"; }
    const char* operator()(const Select&) const { return "select"; }
    const char* operator()(const Edit&) const { return "edit"; }
    const char* operator()(const Capture&) const { return "capture"; }
    const char* operator()(const LogitStats&) const { return "logit-stats"; }
};

struct Accesses {
    Access operator()(const Constant& op) const { return {{}, {op.out}}; }
    Access operator()(const Embed& op) const { return {{}, {op.out}}; }
    Access operator()(const PositionEmbed& op) const { return {{}, {op.out}}; }
    Access operator()(const Add& op) const { return {{op.a, op.b}, {op.out}}; }
    Access operator()(const Repeat& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const Norm& op) const { return {{op.in}, {op.out, op.scale, op.normalized}}; }
    Access operator()(const NormScale& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const NormApply& op) const { return {{op.in, op.scale}, {op.out}}; }
    Access operator()(const NormAffine& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const Linear& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const HeadLinear& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const HeadResult& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const SumHeads& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const Rotate& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const CacheAppend& op) const { return {{op.k, op.v}, {}}; }
    Access operator()(const Attention& op) const {
        return {{op.q, op.k, op.v, op.q_sinks}, {op.out, op.scores, op.pattern}};
    }
    Access operator()(const AttentionScores& op) const { return {{op.q, op.k, op.q_sinks}, {op.out}}; }
    Access operator()(const AttentionPattern& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const AttentionMix& op) const { return {{op.pattern, op.v}, {op.out}}; }
    Access operator()(const Activate& op) const { return {{op.in, op.factor}, {op.out}}; }
    Access operator()(const Pointwise& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const Select& op) const { return {{op.in}, {op.out}}; }
    Access operator()(const Edit& op) const { return {{op.value}, {op.value}}; }
    Access operator()(const Capture& op) const { return {{op.value}, {}}; }
    Access operator()(const LogitStats& op) const { return {{op.hidden, op.logits}, {}}; }
};

} // namespace

const char* op_name(const Op& op) { return std::visit(Names{}, op); }

Access access_of(const Op& op) {
    Access access = std::visit(Accesses{}, op);
    std::erase(access.reads, absent);
    std::erase(access.writes, absent);
    return access;
}

} // namespace vitrine::run
