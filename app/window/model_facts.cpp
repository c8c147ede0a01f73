#include "app/window/model_facts.h"

#include <QObject>
#include <algorithm>
#include <fmt/format.h>
#include <regex>

#include "core/model/parts.h"
#include "views/figure/text.h"

namespace vitrine::window {

namespace {

engine::ResultValue table(const char* name) { return {name, "table", {}, {}, Json::array(), {}, false}; }

std::string megabytes_of(std::int64_t bytes) {
    return (figure::number(static_cast<double>(bytes) / 1e6) + QStringLiteral(" MB")).toStdString();
}

engine::ResultValue facts_table(const engine::OpenModel& open) {
    engine::ResultValue out = table("model");
    const model::ModelSpec& spec = open.model.spec;
    const auto add = [&](const char* name, const std::string& value) {
        out.json.push_back({{"what", name}, {"value", value}});
    };
    const auto count = [](std::int64_t value) { return figure::count(value).toStdString(); };
    add("path", open.model.path);
    add("family, format", spec.family + ", " + open.model.format);
    add("layers × heads",
        fmt::format("{} × {}{}", spec.layers, spec.heads,
                    spec.kv_heads == spec.heads ? ""
                                                : fmt::format(" ({} of keys and values)", spec.kv_heads)));
    add("d_model, d_head, d_ff",
        fmt::format("{}, {}, {}", count(spec.d_model), count(spec.d_head), count(spec.d_ff)));
    add("vocabulary, context", fmt::format("{}, {}", count(spec.vocab), count(spec.context)));
    add("norm, activation", fmt::format("{}, {}{}", model::name_of(spec.norm.kind),
                                        model::name_of(spec.activation), spec.gated ? ", gated" : ""));
    add("positions", model::name_of(spec.positional));
    add("unembedding", spec.tied ? "tied to the embedding" : "its own");
    add("parameters", count(open.model.parameters));
    add("weights hash", open.model.weights_hash.substr(0, 16) + "…");
    add("device", open.loaded->device().name);
    add("precision", backend::name_of(open.loaded->precision()));
    add("held by the device", megabytes_of(static_cast<std::int64_t>(open.loaded->resident_bytes())));
    add("opened in", (figure::number(open.load_ms) + QStringLiteral(" ms")).toStdString());
    return out;
}

engine::ResultValue check_table(const engine::SelfCheck& check) {
    engine::ResultValue out = table("self_check");
    const auto add = [&](const char* name, const QString& value) {
        out.json.push_back({{"what", name}, {"value", value.toStdString()}});
    };
    add("verdict", check.passed     ? QObject::tr("passed")
                   : check.accepted ? QObject::tr("outside the band, accepted")
                                    : QObject::tr("outside the band"));
    add("max |Δlogit|", figure::number(check.max_abs_dlogit));
    add("allowed", figure::number(check.band));
    add("KL, nats", figure::number(check.kl));
    add("most likely tokens", check.argmax_agreement ? QObject::tr("agree") : QObject::tr("differ"));
    add("parts first at", check.first_divergent.empty() ? QObject::tr("nowhere")
                                                        : QString::fromStdString(check.first_divergent));
    add("took", figure::number(check.ms) + QStringLiteral(" ms"));
    // To the second, in UTC.
    add("measured",
        QString::fromStdString(check.measured.substr(0, 19)).replace(QLatin1Char('T'), QLatin1Char(' ')));
    if (check.cached) add("known from", QObject::tr("an earlier start"));
    return out;
}

// Most of the parameters first: "Q4_K 90 %, Q6_K 10 %".
std::string dtypes_text(const model::Part& part) {
    std::string text;
    for (const auto& [dtype, parameters] : part.dtypes) {
        text += (text.empty() ? "" : ", ") + std::string(dtype_name(dtype));
        if (part.dtypes.size() > 1)
            text +=
                " " + figure::percent(static_cast<double>(parameters) / static_cast<double>(part.parameters))
                          .toStdString();
    }
    return text;
}

engine::ResultValue memory_table(const engine::OpenModel& open) {
    std::vector<model::Part> parts = model::parts_of(open.model);
    const model::Part all = model::sum_of(parts);
    parts.push_back(all);
    engine::ResultValue out = table("memory");
    for (const model::Part& part : parts)
        out.json.push_back(
            {{"part", part.name},
             {"parameters", part.parameters},
             {"share", figure::percent(static_cast<double>(part.parameters) /
                                       static_cast<double>(std::max<std::int64_t>(all.parameters, 1)))
                           .toStdString()},
             {"in the file", megabytes_of(static_cast<std::int64_t>(part.bytes))},
             {"stored as", dtypes_text(part)}});
    return out;
}

engine::ResultValue weights_table(const engine::OpenModel& open) {
    // Weights that only differ in their layer are one row.
    static const std::regex layer("^blocks\\.\\d+\\.");
    struct Row {
        std::string name;
        const model::Weight* weight;
        int count = 0;
    };
    std::vector<Row> rows;
    for (const model::Weight& weight : open.model.weights) {
        const std::string name = std::regex_replace(weight.name, layer, "blocks.*.");
        const auto same = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
            return row.name == name && row.weight->rows == weight.rows && row.weight->cols == weight.cols &&
                   row.weight->dtype == weight.dtype;
        });
        if (same != rows.end())
            ++same->count;
        else
            rows.push_back({name, &weight, 1});
    }
    engine::ResultValue out = table("weights");
    for (const Row& row : rows)
        out.json.push_back(
            {{"name", row.name},
             {"times", row.count},
             {"shape", row.weight->rows == 1 ? fmt::format("{}", row.weight->cols)
                                             : fmt::format("{} × {}", row.weight->rows, row.weight->cols)},
             {"dtype", std::string(dtype_name(row.weight->dtype))},
             {"parameters", row.weight->rows * row.weight->cols * row.count}});
    return out;
}

} // namespace

std::vector<engine::ResultValue> model_facts(const engine::OpenModel& model, const engine::SelfCheck* check) {
    std::vector<engine::ResultValue> out = {facts_table(model)};
    if (check) out.push_back(check_table(*check));
    out.push_back(memory_table(model));
    out.push_back(weights_table(model));
    return out;
}

QString words_of(const engine::SelfCheck& check) {
    const QString where = QString::fromStdString(check.device + ", " + check.precision);
    if (check.passed)
        return QObject::tr("Self-check passed: %1 differs from the reference by at most %2 in a logit, %3 is "
                           "allowed.")
            .arg(where, figure::number(check.max_abs_dlogit), figure::number(check.band));
    return QObject::tr(
               "Self-check failed: %1 leaves the band at %2; a logit differs by %3 where %4 is allowed. "
               "Choose another device or precision.")
        .arg(where, QString::fromStdString(check.first_divergent), figure::number(check.max_abs_dlogit),
             figure::number(check.band));
}

} // namespace vitrine::window
