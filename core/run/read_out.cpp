#include "core/run/read_out.h"

#include <fmt/format.h>

namespace vitrine::run {

using model::Coordinates;

namespace {

constexpr const char* unembed_in = "unembed.hook_in";

} // namespace

ReadOut::ReadOut(const model::Model& model, const RunSpec& spec, bool logits, Request& request)
    : wanted_(request.captures), logits_(logits) {
    if (spec.coordinates == Coordinates::raw) return;
    folding_ = std::make_unique<const model::Folding>(model);
    for (const std::string& hook : wanted_)
        if (const auto stand_in = folding_->stands_for(hook)) request.captures.insert(*stand_in);
    if (logits_) request.captures.insert(unembed_in);
}

Status ReadOut::check(const model::Model& model, const RunSpec& spec) {
    if (spec.coordinates == Coordinates::raw) return {};
    VITRINE_TRY(model::Folding::possible(model.spec));
    const model::Folding folding(model);
    for (const EditSpec& edit : spec.edits) {
        VITRINE_ASSIGN(const auto hooks, model::match_hooks(model.spec, edit.hook));
        for (const model::HookInfo& hook : hooks)
            if (folding.stands_for(hook.name) || hook.name == "unembed.hook_out")
                return fail(
                    Code::unsupported,
                    fmt::format("An edit of {} does not show in folded coordinates, in which the norm "
                                "before it has no weight: read this run in raw ones.",
                                hook.name));
    }
    return {};
}

void ReadOut::apply(RowResult& row) const {
    if (!folding_) return;
    const Captured* const in = logits_ ? row.find(unembed_in) : nullptr;
    for (PositionResult& position : row.positions) {
        if (in == nullptr) break;
        const std::int64_t at = position.pos * in->tensor.shape.back();
        const double mean = folding_->mean_logit(&in->tensor.data[static_cast<std::size_t>(at)]);
        const auto without = [mean](float x) { return static_cast<float>(static_cast<double>(x) - mean); };
        position.stats.logsumexp = without(position.stats.logsumexp);
        for (backend::TopToken& token : position.stats.top)
            token.logit = without(token.logit);
        for (float& logit : position.stats.watched)
            logit = without(logit);
    }
    if (row.logits.size() > 0) folding_->read_out("unembed.hook_out", row.logits);
    std::vector<Captured> kept;
    for (Captured& captured : row.captures) {
        if (!wanted_.contains(captured.hook)) continue;
        if (const auto stand_in = folding_->stands_for(captured.hook)) {
            kept.push_back({captured.hook, captured.axes, row.find(*stand_in)->tensor});
            continue;
        }
        kept.push_back(captured);
        folding_->read_out(captured.hook, kept.back().tensor);
    }
    row.captures = std::move(kept);
}

} // namespace vitrine::run
