#include "app/window/cause_rows.h"

#include <QSaveFile>
#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "app/window/shown_record.h"
#include "core/engine/row_marks.h"
#include "core/engine/task_sets.h"

namespace vitrine::window {

namespace {

/// A text, an id "#123", or a JSON list of these.
Json tokens_field(const QString& text) {
    if (text.startsWith(QLatin1Char('['))) {
        auto list = parse_json(text.toStdString(), "the list");
        if (list && list->is_array()) return *list;
    }
    bool is_id = false;
    const int id = text.mid(1).toInt(&is_id);
    if (text.startsWith(QLatin1Char('#')) && is_id) return id;
    return text.toStdString();
}

QString text_of_field(const Json& fields, const char* name) {
    const auto field = fields.find(name);
    if (field == fields.end()) return {};
    if (field->is_string()) return QString::fromStdString(field->get<std::string>());
    if (field->is_number_integer()) return QStringLiteral("#%1").arg(field->get<int>());
    return QString::fromStdString(dump_json(*field));
}

Result<std::vector<engine::PromptLine>> fitting_lines(const engine::OpenModel& model, const std::string& name,
                                                      int& left_out) {
    if (!model.tokenizer)
        return fail(Code::unsupported, "This model has no tokenizer, which a set of texts needs.");
    std::filesystem::path file = name;
    if (!is_own_set(QString::fromStdString(name))) {
        VITRINE_ASSIGN(const engine::TaskSet set, engine::find_task_set(name));
        file = set.file;
    }
    VITRINE_ASSIGN(auto lines, engine::read_prompts(file));
    VITRINE_ASSIGN(auto fitting, engine::fitting_rows(*model.tokenizer, std::move(lines), name));
    left_out = fitting.left_out;
    return std::move(fitting.lines);
}

std::vector<views::Pair> pairs_of_lines(const std::vector<engine::PromptLine>& lines) {
    std::vector<views::Pair> out;
    for (const engine::PromptLine& line : lines)
        if (line.role != "corrupted")
            out.push_back(
                {line.role.empty() ? QString::fromStdString(line.text) : text_of_field(line.fields, "clean"),
                 text_of_field(line.fields, "corrupted"), text_of_field(line.fields, "answer"),
                 text_of_field(line.fields, "distractor")});
    return out;
}

Result<std::vector<run::RunRow>> rows_of_lines(const engine::OpenModel& model,
                                               const std::vector<engine::PromptLine>& lines,
                                               tokenizer::Specials specials) {
    std::vector<run::RunRow> rows;
    for (const engine::PromptLine& line : lines) {
        const engine::WantedMarks wanted{line.fields.contains("answer"), line.fields.contains("distractor"),
                                         line.fields.contains("position")};
        VITRINE_ASSIGN(run::RunRow row, engine::row_of_line(model, line, specials, &wanted));
        rows.push_back(std::move(row));
    }
    return rows;
}

/// Analyses that compare a clean prompt with its corrupted one.
bool takes_pairs(const QString& analysis) {
    static constexpr std::array of_pairs = {"patch", "path-patch", "causal-trace"};
    return std::any_of(of_pairs.begin(), of_pairs.end(),
                       [&](const char* id) { return analysis == QLatin1String(id); });
}

} // namespace

std::vector<views::Behaviour> behaviours_for(const engine::OpenModel& model) {
    const auto sets = engine::task_sets();
    if (!sets || !model.tokenizer) return {};
    const auto folder = engine::model_folder(model.request.name);
    const auto default_folder = engine::model_folder("default");
    const bool is_default = folder && default_folder && *folder == *default_folder;
    std::vector<views::Behaviour> own, others;
    for (const engine::TaskSet& set : *sets) {
        const auto lines = engine::read_prompts(set.file);
        if (!lines) continue;
        constexpr std::size_t tried = 24; // enough to tell a set that fits from one that does not
        const auto fits = std::any_of(
            lines->begin(), lines->begin() + static_cast<std::ptrdiff_t>(std::min(tried, lines->size())),
            [&](const engine::PromptLine& line) { return !engine::misfit(*model.tokenizer, line.fields); });
        if (!fits) continue;
        // Sets of the bundled model speak of a world that no other has seen.
        const bool bundled = set.models.starts_with("default");
        if (bundled && !is_default) continue;
        (bundled ? own : others)
            .push_back({QString::fromStdString(set.name), QString::fromStdString(set.title),
                        QString::fromStdString(set.about)});
    }
    own.insert(own.end(), others.begin(), others.end());
    return own;
}

Result<FittingPairs> pairs_of(const engine::OpenModel& model, const std::string& set) {
    FittingPairs out;
    VITRINE_ASSIGN(const auto lines, fitting_lines(model, set, out.left_out));
    out.pairs = pairs_of_lines(lines);
    return out;
}

bool is_own_set(const QString& name) { return name.contains(QLatin1Char('/')); }

Result<std::vector<views::Pair>> pairs_of_file(const std::string& file) {
    VITRINE_ASSIGN(const auto lines, engine::read_prompts(file));
    return pairs_of_lines(lines);
}

views::PairTable::Outside outside_of(const std::shared_ptr<const engine::OpenModel>& model) {
    views::PairTable::Outside out;
    out.read = [](const QString& path, std::vector<views::Pair>& pairs) {
        auto read = pairs_of_file(path.toStdString());
        if (!read) return QString::fromStdString(read.error().message);
        pairs = std::move(*read);
        return QString();
    };
    out.write = [](const QString& path, const std::vector<views::Pair>& pairs) {
        QSaveFile file(path); // the old one stays until the new one is whole
        std::string text;
        for (const views::Pair& pair : pairs)
            text += dump_json(line_of(pair)) + "\n";
        if (file.open(QIODevice::WriteOnly) &&
            file.write(text.data(), static_cast<qint64>(text.size())) >= 0 && file.commit())
            return QString();
        return QObject::tr("The set could not be written to %1: %2. Choose another place.")
            .arg(path, file.errorString());
    };
    out.misfit = [model](const views::Pair& pair) {
        if (!model->tokenizer) return QObject::tr("This model has no tokenizer.");
        const auto found = engine::misfit(*model->tokenizer, line_of(pair));
        return found ? QString::fromStdString(found->reason) : QString();
    };
    return out;
}

QString field_of_token(const engine::OpenModel& model, std::int32_t id) {
    const QString by_id = QStringLiteral("#%1").arg(id);
    if (!model.tokenizer) return by_id;
    const QString text = QString::fromStdString(token_of(model, id).bytes);
    const bool plain = !text.isEmpty() && !text.startsWith(QLatin1Char('#')) &&
                       !text.startsWith(QLatin1Char('[')) &&
                       std::all_of(text.begin(), text.end(), [](QChar c) { return c.isPrint(); });
    return plain && engine::token_after(*model.tokenizer, {}, text.toStdString()) == id ? text : by_id;
}

Json line_of(const views::Pair& pair) {
    Json line = pair.corrupted.isEmpty()
                    ? Json{{"prompt", pair.clean.toStdString()}}
                    : Json{{"clean", pair.clean.toStdString()}, {"corrupted", pair.corrupted.toStdString()}};
    if (!pair.answer.isEmpty()) line["answer"] = tokens_field(pair.answer);
    if (!pair.distractor.isEmpty()) line["distractor"] = tokens_field(pair.distractor);
    return line;
}

Result<std::vector<run::RunRow>> rows_of_pair(const engine::OpenModel& model, const views::Pair& pair,
                                              tokenizer::Specials specials) {
    if (pair.clean.isEmpty())
        return fail(Code::usage, "There is no clean prompt yet: write one, or choose a behaviour.");
    VITRINE_ASSIGN(const auto lines, engine::parse_prompts(dump_json(line_of(pair)), "this pair.jsonl"));
    return rows_of_lines(model, lines, specials);
}

RowsSource source_of(const views::Pair& pair, const QString& set) {
    RowsSource out;
    if (!set.isEmpty()) {
        const QString prompts = is_own_set(set) ? views::shell_word(set) : QStringLiteral("task:") + set;
        out.key = prompts.toStdString();
        out.rows = [name =
                        set.toStdString()](const engine::OpenModel& model,
                                           tokenizer::Specials specials) -> Result<std::vector<run::RunRow>> {
            int left_out = 0;
            VITRINE_ASSIGN(const auto lines, fitting_lines(model, name, left_out));
            return rows_of_lines(model, lines, specials);
        };
        out.options = [prompts](const QString&) { return QStringLiteral(" --prompts ") + prompts; };
        return out;
    }
    out.key = dump_json(line_of(pair));
    out.rows = [pair](const engine::OpenModel& model, tokenizer::Specials specials) {
        return rows_of_pair(model, pair, specials);
    };
    out.options = [pair](const QString& analysis) {
        QString text = QStringLiteral(" --prompt ") + views::shell_word(pair.clean);
        if (takes_pairs(analysis)) text += QStringLiteral(" --prompt ") + views::shell_word(pair.corrupted);
        for (const auto& [name, value] :
             {std::pair{"answer", pair.answer}, std::pair{"distractor", pair.distractor}})
            if (!value.isEmpty())
                text += QStringLiteral(" --set ") +
                        views::shell_word(QStringLiteral("%1=%2").arg(QLatin1String(name), value));
        return text;
    };
    return out;
}

} // namespace vitrine::window
