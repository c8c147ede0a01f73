#include "app/window/edit_texts.h"

#include "core/engine/changes.h"

namespace vitrine::window {

Result<engine::Changes> changes_of(const engine::OpenModel& model, const QStringList& texts,
                                   tokenizer::Specials specials) {
    std::vector<std::string> plain;
    for (const QString& text : texts)
        plain.push_back(text.toStdString());
    return engine::read_changes(model, specials, plain);
}

QString problem_of_edit(const engine::OpenModel* model, const QString& text) {
    const Status status = engine::check_change(model, text.toStdString());
    return status ? QString() : QString::fromStdString(status.error().message);
}

QStringList texts_of(const run::RunSpec& spec) {
    QStringList out;
    for (const std::string& text : engine::texts_of(spec))
        out << QString::fromStdString(text);
    return out;
}

} // namespace vitrine::window
