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
    const char* operator()(const SigmoidPattern&) const { return "sigmoid-pattern"; }
    const char* operator()(const AttentionMix&) const { return "attention-mix"; }
    const char* operator()(const Activate&) const { return "activate"; }
    const char* operator()(const Pointwise&) const { return "pointwise"; }
    const char* operator()(const Select&) const { return "select"; }
    const char* operator()(const Edit&) const { return "edit"; }
    const char* operator()(const Capture&) const { return "capture"; }
    const char* operator()(const LogitStats&) const { return "logit-stats"; }
};

/// Each op's values, as pointers into it.
struct Fields {
    std::vector<const ValueId*> reads;
    std::vector<const ValueId*> writes;
};

struct FieldsOf {
    Fields operator()(const Constant& op) const { return {{}, {&op.out}}; }
    Fields operator()(const Embed& op) const { return {{}, {&op.out}}; }
    Fields operator()(const PositionEmbed& op) const { return {{}, {&op.out}}; }
    Fields operator()(const Add& op) const { return {{&op.a, &op.b}, {&op.out}}; }
    Fields operator()(const Repeat& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const Norm& op) const { return {{&op.in}, {&op.out, &op.scale, &op.normalized}}; }
    Fields operator()(const NormScale& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const NormApply& op) const { return {{&op.in, &op.scale}, {&op.out}}; }
    Fields operator()(const NormAffine& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const Linear& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const HeadLinear& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const HeadResult& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const SumHeads& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const Rotate& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const CacheAppend& op) const { return {{&op.k, &op.v}, {}}; }
    Fields operator()(const Attention& op) const {
        return {{&op.q, &op.k, &op.v, &op.q_sinks}, {&op.out, &op.scores, &op.pattern}};
    }
    Fields operator()(const AttentionScores& op) const { return {{&op.q, &op.k, &op.q_sinks}, {&op.out}}; }
    Fields operator()(const AttentionPattern& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const SigmoidPattern& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const AttentionMix& op) const { return {{&op.pattern, &op.v}, {&op.out}}; }
    Fields operator()(const Activate& op) const { return {{&op.in, &op.factor}, {&op.out}}; }
    Fields operator()(const Pointwise& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const Select& op) const { return {{&op.in}, {&op.out}}; }
    Fields operator()(const Edit& op) const { return {{&op.source}, {&op.value}}; }
    Fields operator()(const Capture& op) const { return {{&op.value}, {}}; }
    Fields operator()(const LogitStats& op) const { return {{&op.hidden, &op.logits}, {}}; }
};

Fields fields_of(const Op& op) {
    Fields fields = std::visit(FieldsOf{}, op);
    const auto missing = [](const ValueId* id) { return *id == absent; };
    std::erase_if(fields.reads, missing);
    std::erase_if(fields.writes, missing);
    return fields;
}

} // namespace

const char* op_name(const Op& op) { return std::visit(Names{}, op); }

Places places_of(Op& op) {
    const Fields fields = fields_of(op);
    Places places;
    for (const ValueId* id : fields.reads)
        places.reads.push_back(const_cast<ValueId*>(id)); // op itself may change
    for (const ValueId* id : fields.writes)
        places.writes.push_back(const_cast<ValueId*>(id));
    return places;
}

Access access_of(const Op& op) {
    const Fields fields = fields_of(op);
    Access access;
    for (const ValueId* id : fields.reads)
        access.reads.push_back(*id);
    for (const ValueId* id : fields.writes)
        access.writes.push_back(*id);
    if (const auto* edit = std::get_if<Edit>(&op)) access.reads.insert(access.reads.begin(), edit->value);
    return access;
}

} // namespace vitrine::run
