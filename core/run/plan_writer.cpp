#include "core/run/plan_writer.h"

#include <algorithm>

namespace vitrine::run {

PlanWriter::PlanWriter(const model::Model& model, const BuildRequest& request)
    : model_(model), request_(request) {
    built_.plan.batch = request.batch;
    built_.plan.constants = request.constants;
    built_.plan.decoding = request.cached && request.batch.size() <= request.batch.rows();
    for (const model::HookInfo& hook : model::hooks_of(model.spec))
        hooks_.emplace(hook.name, hook);
}

ValueId PlanWriter::new_value(Value value) {
    built_.plan.values.push_back(value);
    return static_cast<ValueId>(built_.plan.values.size()) - 1;
}

ConstantId PlanWriter::constant(SharedTensor tensor) {
    built_.plan.constants.push_back(std::move(tensor));
    return static_cast<ConstantId>(built_.plan.constants.size()) - 1;
}

bool PlanWriter::replaced(const std::string& name) const {
    const auto found = request_.edits.find(name);
    return found != request_.edits.end() &&
           std::any_of(found->second.begin(), found->second.end(),
                       [](const EditEntry& entry) { return entry.kind == EditKind::take; });
}

void PlanWriter::edit(const std::string& name, ValueId id, ValueId source) {
    if (const auto found = request_.edits.find(name); found != request_.edits.end())
        emit(Edit{id, found->second, source});
}

void PlanWriter::capture(const std::string& name, ValueId id) {
    if (!captured(name)) return;
    const model::HookInfo& info = hooks_.at(name);
    emit(Capture{id, static_cast<int>(built_.captures.size())});
    built_.captures.push_back(
        {name, {info.axes.begin() + 1, info.axes.end()}, built_.plan.values[static_cast<std::size_t>(id)]});
}

ValueId PlanWriter::hook(const std::string& name, ValueId id, ValueId source) {
    edit(name, id, source);
    capture(name, id);
    return id;
}

ValueId PlanWriter::hook_of_own(const std::string& name, ValueId id) {
    return hook(name, edited(name) ? repeat(id, 1) : id);
}

void PlanWriter::return_logits(ValueId id) {
    emit(Capture{id, static_cast<int>(built_.captures.size())});
    built_.captures.push_back({"", {"pos", "d_vocab"}, built_.plan.values[static_cast<std::size_t>(id)]});
}

ValueId PlanWriter::add(ValueId a, ValueId b) {
    const ValueId out = value(1, spec().d_model);
    emit(Add{a, b, out});
    return out;
}

ValueId PlanWriter::repeat(ValueId in, int heads) {
    const ValueId out = value(heads, built_.plan.values[static_cast<std::size_t>(in)].width);
    emit(Repeat{in, out});
    return out;
}

ValueId PlanWriter::pointwise(PointwiseKind kind, float x, ValueId in) {
    const ValueId out = new_value(built_.plan.values[static_cast<std::size_t>(in)]);
    emit(Pointwise{kind, x, in, out});
    return out;
}

ValueId PlanWriter::linear(const std::string& w, const std::string& b, ValueId in, int heads, int width) {
    const ValueId out = value(heads, width);
    emit(Linear{weight(w), weight(b), in, out});
    return out;
}

ValueId PlanWriter::norm(const std::string& prefix, ValueId in, int heads, bool hooked) {
    const std::string scale_name = prefix + "hook_scale";
    const std::string normalized_name = prefix + "hook_normalized";
    const WeightId w = weight(prefix + "w");
    const WeightId b = weight(prefix + "b");
    const ValueId out = value(heads, spec().d_model);
    if (hooked && (edited(scale_name) || edited(normalized_name))) {
        const ValueId scale = value(heads, 1);
        const ValueId normalized = value(heads, spec().d_model);
        emit(NormScale{spec().norm, in, scale});
        hook(scale_name, scale);
        emit(NormApply{spec().norm, in, scale, normalized});
        hook(normalized_name, normalized);
        emit(NormAffine{w, b, normalized, out});
        return out;
    }
    Norm op{spec().norm, w, b, in, out};
    if (hooked && captured(scale_name)) op.scale = value(heads, 1);
    if (hooked && captured(normalized_name)) op.normalized = value(heads, spec().d_model);
    emit(op);
    if (op.scale != absent) capture(scale_name, op.scale);
    if (op.normalized != absent) capture(normalized_name, op.normalized);
    return out;
}

BuiltPlan PlanWriter::take() {
    built_.plan.capture_slots = static_cast<int>(built_.captures.size());
    return std::move(built_);
}

} // namespace vitrine::run
