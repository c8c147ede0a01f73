#pragma once
// The plan while it is written: values, ops, and what happens at a hook.
#include <string>
#include <unordered_map>

#include "core/model/hooks.h"
#include "core/run/builder.h"

namespace vitrine::run {

class PlanWriter {
public:
    PlanWriter(const model::Model& model, const BuildRequest& request);

    const model::ModelSpec& spec() const { return model_.spec; }
    const BuildRequest& request() const { return request_; }
    WeightId weight(const std::string& name) const { return model_.find(name); }

    ValueId value(int heads, int width) { return value(request_.batch.size(), heads, width); }
    ValueId value(std::int64_t count, int heads, int width) {
        return new_value({Layout::tokens, count, heads, width});
    }
    ValueId pairs() { return new_value({Layout::pairs, 0, spec().heads, 0}); }
    ConstantId constant(SharedTensor tensor);
    void emit(Op op) { built_.plan.ops.push_back(std::move(op)); }

    bool edited(const std::string& name) const { return request_.edits.contains(name); }
    bool captured(const std::string& name) const { return request_.captures.contains(name); }
    bool wanted(const std::string& name) const { return edited(name) || captured(name); }
    /// Whether an edit of the hook puts another operation's output in its place.
    bool replaced(const std::string& name) const;
    /// `source`: that other output; absent where nothing is replaced.
    void edit(const std::string& name, ValueId id, ValueId source = absent);
    void capture(const std::string& name, ValueId id);
    /// A hook point: what is edited is captured as edited.
    ValueId hook(const std::string& name, ValueId id, ValueId source = absent);
    /// A hook point on a value that others read too: an edit changes a copy. `id` has no heads.
    ValueId hook_of_own(const std::string& name, ValueId id);
    /// Logits that are returned without a hook.
    void return_logits(ValueId id);

    // Ops whose output is a value of their own.
    ValueId add(ValueId a, ValueId b);
    ValueId repeat(ValueId in, int heads);
    ValueId pointwise(PointwiseKind kind, float x, ValueId in);
    ValueId linear(const std::string& w, const std::string& b, ValueId in, int heads, int width);
    /// Normalises each of `heads` inputs of a token over d_model. Split only where inner values are edited.
    ValueId norm(const std::string& prefix, ValueId in, int heads, bool hooked = true);

    BuiltPlan take();

private:
    ValueId new_value(Value value);

    const model::Model& model_;
    const BuildRequest& request_;
    std::unordered_map<std::string, model::HookInfo> hooks_;
    BuiltPlan built_;
};

} // namespace vitrine::run
