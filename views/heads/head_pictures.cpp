#include "views/heads/head_pictures.h"

#include <QCoreApplication>
#include <cmath>

#include "views/figure/figure_for.h"
#include "views/figure/quantity.h"

namespace vitrine::views {

namespace {

figure::PicturePtr said(const QString& title, const QString& sentence) {
    auto out = std::make_shared<figure::Card>();
    out->title = title;
    out->text = sentence;
    return out;
}

bool has_numbers(const engine::ResultValue& result) {
    for (const double value : result.data)
        if (std::isfinite(value)) return true;
    return false;
}

Json cell(const engine::ResultValue& result, std::size_t at) {
    return at < result.data.size() && std::isfinite(result.data[at]) ? Json(result.data[at]) : Json();
}

// Rows of a table over heads: {layer, head, NAME: number, …}.
engine::ResultValue rows_of(const Results& results, const QStringList& metrics, const std::string& name) {
    engine::ResultValue out;
    out.name = name;
    out.kind = "table";
    out.json = Json::array();
    for (const QString& metric : metrics) {
        const engine::ResultValue* result = find_result(results, metric);
        if (result == nullptr || result->axes.size() != 2) continue;
        const auto heads = static_cast<std::size_t>(result->axes[1].size);
        for (std::size_t at = 0; at < result->data.size(); ++at) {
            if (out.json.size() <= at) out.json.push_back({{"layer", at / heads}, {"head", at % heads}});
            out.json[at][metric.toStdString()] = cell(*result, at);
        }
    }
    return out;
}

} // namespace

const QStringList& head_metrics() {
    static const QStringList names{QStringLiteral("induction_rate"), QStringLiteral("duplicate_rate"),
                                   QStringLiteral("previous"),       QStringLiteral("induction"),
                                   QStringLiteral("duplicate"),      QStringLiteral("self"),
                                   QStringLiteral("sink"),           QStringLiteral("entropy"),
                                   QStringLiteral("distance"),       QStringLiteral("prompt_mass")};
    return names;
}

const QStringList& generation_metrics() {
    static const QStringList names{QStringLiteral("mass_by_step"), QStringLiteral("prompt_mass_by_step"),
                                   QStringLiteral("sink_mass_by_step")};
    return names;
}

const engine::ResultValue* find_result(const Results& results, const QString& name) {
    const std::string plain = name.toStdString();
    for (const engine::ResultValue& result : results)
        if (result.name == plain || result.name == plain + "_difference") return &result;
    return nullptr;
}

figure::PicturePtr metric_picture(const Results& results, const QString& metric, const figure::Theme& theme) {
    const QString title = figure::quantity_of(metric.toStdString()).title;
    const engine::ResultValue* result = find_result(results, metric);
    if (result != nullptr && has_numbers(*result)) return figure::figure_for(*result, theme);
    if (metric.endsWith(QLatin1String("_rate")))
        return said(title, QCoreApplication::translate(
                               "Heads", "No token of these rows repeats, so there is no rate: write a text "
                                        "that repeats itself, or choose repeated random ids."));
    return said(title,
                QCoreApplication::translate("Heads", "Nothing was generated: these rows leave no room in "
                                                     "the model's context. Choose shorter ones."));
}

figure::PicturePtr scatter_picture(const Results& results, const QString& x, const QString& y,
                                   const figure::Theme& theme) {
    return figure::figure_for(rows_of(results, {x, y}, "scatter"), theme);
}

std::shared_ptr<figure::Table> heads_table(const Results& results, const figure::Theme& theme) {
    auto out = std::dynamic_pointer_cast<figure::Table>(
        figure::figure_for(rows_of(results, head_metrics(), "all_heads"), theme));
    if (!out) return out;
    out->title.clear();
    // Ten metrics stand beside each other: two decimals and short names, the whole is under the pointer.
    static const QStringList brief{QStringLiteral("head"), QStringLiteral("ind r."), QStringLiteral("dup r."),
                                   QStringLiteral("prev"), QStringLiteral("ind"),    QStringLiteral("dup"),
                                   QStringLiteral("self"), QStringLiteral("sink"),   QStringLiteral("entr"),
                                   QStringLiteral("dist"), QStringLiteral("prom")};
    if (out->columns.size() != brief.size()) return out; // of A − B some may be missing
    out->meanings = out->columns;
    out->columns = brief;
    for (QStringList& row : out->rows)
        row[0].remove(QLatin1Char(' ')); // L13H5, as the palette reads it
    for (std::size_t row = 0; row < out->rows.size(); ++row)
        for (int col = 1; col < brief.size(); ++col) {
            const double value = out->keys[row][static_cast<std::size_t>(col)];
            if (std::isfinite(value))
                out->rows[row][col] = figure::decimal(value, std::abs(value) < 9.995 ? 2 : 1);
        }
    return out;
}

} // namespace vitrine::views
