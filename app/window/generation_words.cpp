#include "app/window/generation_words.h"

#include <algorithm>

#include "app/window/edit_texts.h"
#include "app/window/shown_record.h"
#include "app/window/side_analysis.h"
#include "views/figure/text.h"
#include "views/shared/figure_source.h"

namespace vitrine::window {

namespace {

constexpr int name_length = 28;
constexpr int prompt_length = 18; ///< of the prompt's end, before what was generated from it

QString text_of(const engine::OpenModel& model, const std::vector<std::int32_t>& ids, std::size_t from) {
    if (!model.tokenizer) return {};
    const std::vector<std::int32_t> part(
        ids.begin() + static_cast<std::ptrdiff_t>(std::min(from, ids.size())), ids.end());
    return QString::fromStdString(model.tokenizer->decode(part, true)).simplified();
}

} // namespace

QString token_shown(const engine::OpenModel& model, std::int32_t id) { return token_of(model, id).shown; }

QString name_of(const engine::OpenModel& model, const Generation& of) {
    const auto from = static_cast<std::size_t>(of.parent != 0 ? of.left_at : 0);
    QString text = text_of(model, of.ids, from).left(name_length);
    if (text.isEmpty() && from < of.ids.size()) text = token_shown(model, of.ids[from]);
    return of.parent != 0 ? QObject::tr("step %1: %2").arg(of.left_at).arg(text) : text;
}

views::Branch branch_of(const engine::OpenModel& model, const Generation& of, bool branched) {
    const QString text = text_of(model, of.ids, branched ? static_cast<std::size_t>(of.left_at) : 0);
    const QString prompt = text_of(model, of.spec.prompt.rows.front().ids, 0);
    views::Branch out;
    out.id = of.step;
    out.parent = of.parent;
    out.text = branched ? text : QStringLiteral("…%1 ▸ %2").arg(prompt.right(prompt_length), text);
    out.leaves = branched ? QObject::tr("step %1").arg(of.left_at) : QString();
    out.tip = prompt + QStringLiteral(" ▸ ") + text_of(model, of.ids, 0);
    if (of.spec.temperature > 0)
        out.tip +=
            QObject::tr("\nTemperature %1, seed %2").arg(figure::tick(of.spec.temperature)).arg(of.spec.seed);
    for (const QString& change : texts_of(of.spec.prompt))
        out.tip += QLatin1Char('\n') + change;
    if (of.step > 0) out.tip += QObject::tr("\nStep %1 of the session").arg(of.step);
    return out;
}

QString command_of(const engine::OpenModel& model, const Generation& of, const std::string& analysis,
                   const Json& values) {
    AnalysedSide side;
    side.row = of.spec.prompt.rows.front();
    side.edits = texts_of(of.spec.prompt);
    QString options;
    for (const auto& [name, value] : values.items()) {
        QString text;
        if (value.is_array()) {
            QStringList parts;
            for (const Json& part : value)
                parts << QString::fromStdString(dump_json(part));
            text = parts.join(QLatin1Char(','));
        } else {
            text = QString::fromStdString(value.is_string() ? value.get<std::string>() : dump_json(value));
        }
        options += QStringLiteral(" --set ") +
                   views::shell_word(QString::fromStdString(name) + QLatin1Char('=') + text);
    }
    return command_of_sides(model, {side}, QString::fromStdString(analysis), options);
}

} // namespace vitrine::window
