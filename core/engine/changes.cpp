#include "core/engine/changes.h"

#include "core/engine/edit_sources.h"
#include "core/model/hooks.h"
#include "core/run/edit_text.h"

namespace vitrine::engine {

namespace {

constexpr std::string_view word = "attention ";

} // namespace

bool is_policy(std::string_view text) { return text.starts_with(word); }

Result<Changes> read_changes(const OpenModel& model, tokenizer::Specials specials,
                             const std::vector<std::string>& texts) {
    Changes out;
    for (const std::string& text : texts) {
        VITRINE_TRY(check_change(&model, text));
        if (is_policy(text)) {
            if (out.attention.window > 0)
                return fail(Code::usage, "Two attention policies are on: a run has one, switch one off.");
            VITRINE_ASSIGN(out.attention, run::parse_policy(std::string_view(text).substr(word.size())));
            continue;
        }
        VITRINE_ASSIGN(run::EditSpec edit, run::parse_edit(text));
        out.edits.push_back(std::move(edit));
    }
    VITRINE_TRY(read_edit_sources(model, specials, out.edits));
    return out;
}

Status check_change(const OpenModel* model, const std::string& text) {
    if (is_policy(text)) {
        VITRINE_ASSIGN(const auto policy, run::parse_policy(std::string_view(text).substr(word.size())));
        return model ? run::check_policy(model->model.spec, policy) : Status();
    }
    VITRINE_ASSIGN(const auto edit, run::parse_edit(text));
    if (model) VITRINE_TRY(model::match_hooks(model->model.spec, edit.hook));
    return {};
}

std::vector<std::string> texts_of(const run::RunSpec& spec) {
    std::vector<std::string> out;
    for (const run::EditSpec& edit : spec.edits)
        out.push_back(run::to_text(edit));
    if (spec.attention.window > 0) out.push_back(std::string(word) + run::to_text(spec.attention));
    return out;
}

} // namespace vitrine::engine
