#include "app/window/edit_texts.h"

#include "core/engine/edit_sources.h"
#include "core/model/hooks.h"

namespace vitrine::window {

Result<std::vector<run::EditSpec>> edits_of(const engine::OpenModel& model, const QStringList& texts,
                                            tokenizer::Specials specials) {
    std::vector<run::EditSpec> out;
    for (const QString& text : texts) {
        VITRINE_ASSIGN(run::EditSpec edit, run::parse_edit(text.toStdString()));
        VITRINE_TRY(model::match_hooks(model.model.spec, edit.hook));
        out.push_back(std::move(edit));
    }
    VITRINE_TRY(engine::read_edit_sources(model, specials, out));
    return out;
}

QString problem_of_edit(const engine::OpenModel* model, const QString& text) {
    const auto edit = run::parse_edit(text.toStdString());
    if (!edit) return QString::fromStdString(edit.error().message);
    if (!model) return {};
    const auto hooks = model::match_hooks(model->model.spec, edit->hook);
    return hooks ? QString() : QString::fromStdString(hooks.error().message);
}

} // namespace vitrine::window
