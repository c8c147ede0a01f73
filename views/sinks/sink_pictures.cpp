#include "views/sinks/sink_pictures.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <algorithm>
#include <cmath>

#include "views/figure/column.h"
#include "views/figure/curves.h"
#include "views/figure/heatmap.h"
#include "views/figure/table.h"

namespace vitrine::views {

namespace {

QString said(const char* text) { return QCoreApplication::translate("Sinks", text); }

const engine::ResultValue* find(const Results& results, const std::string& name) {
    for (const engine::ResultValue& result : results)
        if (result.name == name || result.name == name + "_difference") return &result;
    return nullptr;
}

QStringList tokens_of(const engine::ResultAxis& axis) {
    QStringList out;
    for (const std::string& label : axis.labels)
        out << figure::shown_token(label);
    return out;
}

QString text_in(const Json& row, const char* name) {
    const auto found = row.find(name);
    return found != row.end() && found->is_string() ? QString::fromStdString(found->get<std::string>())
                                                    : QString();
}

double number_in(const Json& row, const char* name) {
    const auto found = row.find(name);
    return found != row.end() && found->is_number() ? found->get<double>() : std::nan("");
}

// The analysis' names, in words; `how`: what the change is made of.
QString words_of(const QString& name, const QString& how) {
    static const QRegularExpression window(QStringLiteral("window=(\\d+)(?: sinks=(\\d+))?"));
    if (const auto kept = window.match(how); kept.hasMatch())
        return kept.captured(2).isEmpty()
                   ? said("Keep the last %1 keys only").arg(kept.captured(1))
                   : said("Keep first %1 and last %2").arg(kept.captured(2), kept.captured(1));
    if (name == QLatin1String("mask")) return said("Hide the key in all layers");
    if (name == QLatin1String("mask-later")) return said("Hide it in later layers");
    if (name == QLatin1String("zero-value")) return said("Zero its value");
    if (name == QLatin1String("token-mean")) return said("Give it the mean value");
    if (name == QLatin1String("row-mean")) return said("Replace it by its mean over rows");
    if (name == QLatin1String("calibrate")) return said("Calibrate others (ACT)");
    return name;
}

// layer × token; an axis of heads between them is averaged away.
std::shared_ptr<figure::Heatmap> norms(const engine::ResultValue& result, const QString& title,
                                       const figure::Theme& theme) {
    auto out = std::make_shared<figure::Heatmap>();
    const auto layers = static_cast<std::size_t>(result.axes.front().size),
               tokens = static_cast<std::size_t>(result.axes.back().size);
    const std::size_t between = result.data.size() / std::max<std::size_t>(1, layers * tokens);
    std::vector<float> values(layers * tokens, 0);
    for (std::size_t layer = 0; layer < layers; ++layer)
        for (std::size_t head = 0; head < between; ++head)
            for (std::size_t token = 0; token < tokens; ++token)
                values[layer * tokens + token] += static_cast<float>(
                    result.data[(layer * between + head) * tokens + token] / static_cast<double>(between));
    float low = INFINITY, high = -INFINITY;
    for (const float value : values)
        if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
    figure::ColourScale scale;
    scale.map = theme.amounts;
    scale.unit = said("norm");
    if (low < 0) { // A − B
        scale.map = theme.differences();
        scale.max = std::max(-static_cast<double>(low), static_cast<double>(high));
        scale.min = -scale.max;
    } else {
        scale.log = high > 20 * low; // massive activations would leave all others dark
        scale.floor = std::max(1e-6, std::pow(10, std::floor(std::log10(std::max(1e-6F, low)))));
        scale.max = high > 0 ? high : 1;
    }
    out->title = title;
    out->row_title = QStringLiteral("layer");
    out->col_title = QStringLiteral("key");
    for (std::size_t layer = 0; layer < layers; ++layer)
        out->row_labels << QStringLiteral("L%1").arg(layer);
    out->col_labels = tokens_of(result.axes.back());
    out->style.scale = scale;
    out->values = figure::make_matrix(static_cast<int>(layers), static_cast<int>(tokens), std::move(values));
    return out;
}

} // namespace

std::shared_ptr<figure::SinkMap> sink_map_picture(const Results& results, const figure::Theme& theme) {
    const engine::ResultValue* alpha = find(results, "alpha");
    if (alpha == nullptr || alpha->axes.size() != 3 || alpha->axes.back().name != "key") return nullptr;
    const engine::ResultValue* uniform = find(results, "uniform");
    auto out = std::make_shared<figure::SinkMap>(
        static_cast<int>(alpha->axes[0].size), static_cast<int>(alpha->axes[1].size),
        static_cast<int>(alpha->axes[2].size), alpha->data,
        uniform != nullptr && uniform->axes.size() == 1 ? uniform->data : std::vector<double>(),
        tokens_of(alpha->axes[2]), theme);
    return out;
}

figure::PicturePtr sink_norms_picture(const Results& results, const figure::Theme& theme) {
    auto out = std::make_shared<figure::Column>();
    for (const auto& [name, title] : {std::pair{"resid_post", said("Norm of the residual stream")},
                                      {"value", said("Norm of values, mean over heads")},
                                      {"key", said("Norm of keys, mean over heads")}}) {
        const engine::ResultValue* result = find(results, name);
        if (result != nullptr && result->axes.size() >= 2 && !result->data.empty())
            out->parts.push_back(norms(*result, title, theme));
    }
    if (out->parts.empty()) return nullptr;
    return out;
}

figure::PicturePtr sink_ratios_picture(const Results& results, int key, const QString& token) {
    auto out = std::make_shared<figure::Curves>();
    out->title = said("Norms at key %1 %2").arg(key).arg(token);
    out->unit = said("times the median of the other tokens");
    out->x_title = QStringLiteral("layer");
    out->log_y = true;
    for (const auto& [name, words] :
         {std::pair{"resid_post", said("hidden state")}, {"key", said("keys")}, {"value", said("values")}}) {
        const engine::ResultValue* result = find(results, name);
        if (result == nullptr || result->axes.size() < 2) continue;
        if (result->name != name) {
            out->said_in_place = said("Multiples have no difference: look at A or at B.");
            return out;
        }
        const auto layers = static_cast<std::size_t>(result->axes.front().size),
                   tokens = static_cast<std::size_t>(result->axes.back().size);
        if (layers == 0 || tokens < 2 || key < 0 || static_cast<std::size_t>(key) >= tokens) {
            out->said_in_place = said("There is no other token to compare with: write a longer text.");
            return out;
        }
        const std::size_t between = result->data.size() / (layers * tokens);
        figure::Curves::Line line;
        line.name = words;
        for (std::size_t layer = 0; layer < layers; ++layer) {
            std::vector<double> norms(tokens, 0);
            for (std::size_t head = 0; head < between; ++head)
                for (std::size_t at = 0; at < tokens; ++at)
                    norms[at] += result->data[(layer * between + head) * tokens + at];
            const double own = norms[static_cast<std::size_t>(key)];
            norms.erase(norms.begin() + key);
            std::nth_element(norms.begin(), norms.begin() + static_cast<std::ptrdiff_t>(norms.size() / 2),
                             norms.end());
            line.values.push_back(own / norms[norms.size() / 2]);
        }
        out->lines.push_back(std::move(line));
    }
    if (out->lines.empty()) return nullptr;
    for (std::size_t layer = 0; layer < out->lines.front().values.size(); ++layer)
        out->x.push_back(static_cast<double>(layer));
    return out;
}

figure::PicturePtr sink_rate_picture(const Results& results, double epsilon) {
    const engine::ResultValue* rate = find(results, "sink_rate");
    const engine::ResultValue* uniform = find(results, "uniform");
    const engine::ResultValue* note = find(results, "note");
    if (rate == nullptr || uniform == nullptr || rate->data.empty() || uniform->data.empty()) return nullptr;
    auto out = std::make_shared<figure::Card>();
    out->title = said("Sink rate and its control");
    const double percent = rate->data.front();
    out->big = std::isfinite(percent) ? figure::number(percent) + QStringLiteral(" %") : said("none");
    out->text = said("Heads with an alpha above %1 at the selected key. A head that looks at all keys alike "
                     "has %2 there.")
                    .arg(figure::tick(epsilon), figure::number(uniform->data.front()));
    if (note != nullptr && note->json.is_string())
        out->text += QLatin1Char(' ') + QString::fromStdString(note->json.get<std::string>());
    return out;
}

bool are_on(const QStringList& texts, const EditList& edits) {
    const QStringList active = edits.active();
    return !texts.isEmpty() && std::all_of(texts.begin(), texts.end(), [&](const QString& text) {
        return active.contains(text.simplified());
    });
}

std::shared_ptr<figure::WhatIf> what_if_picture(const Results& results, int key, const QString& token,
                                                const EditList& edits) {
    const engine::ResultValue* effects = find(results, "effects");
    if (effects == nullptr || !effects->json.is_array()) return nullptr;
    const engine::ResultValue* texts = find(results, "texts");
    const auto text_of = [&](const QString& change) {
        if (texts != nullptr && texts->json.is_array())
            for (const Json& row : texts->json)
                if (text_in(row, "change") == change && (!row.contains("row") || row["row"] == 0))
                    return text_in(row, "text").replace(QLatin1Char('\n'), QChar(0x23CE));
        return QString();
    };
    auto out = std::make_shared<figure::WhatIf>();
    out->title = said("What if key %1 %2 were no sink?").arg(key).arg(token);
    for (const Json& effect : effects->json) {
        const QString name = text_in(effect, "change");
        if (name == QLatin1String("clean")) {
            out->clean_loss = number_in(effect, "loss");
            out->clean_text = text_of(name);
            continue;
        }
        figure::WhatIf::Row row;
        row.name = name;
        row.words = words_of(name, text_in(effect, "edits"));
        row.delta_loss = number_in(effect, "delta_loss");
        row.control = number_in(effect, "control");
        row.control_deviation = number_in(effect, "control_deviation");
        row.kl = number_in(effect, "kl");
        row.text = text_of(name);
        row.edits = text_in(effect, "edits").split(QStringLiteral("; "), Qt::SkipEmptyParts);
        row.on = are_on(row.edits, edits);
        out->rows.push_back(std::move(row));
    }
    if (out->rows.empty()) return nullptr;
    return out;
}

} // namespace vitrine::views
