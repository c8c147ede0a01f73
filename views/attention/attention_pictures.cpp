#include "views/attention/attention_pictures.h"

#include <algorithm>
#include <cmath>

#include "views/attention/sinks.h"
#include "views/shared/figure_source.h"

namespace vitrine::views {

namespace {

figure::ColourScale scale_of(const AttentionData& data, const AttentionOptions& options,
                             const figure::Theme& theme) {
    figure::ColourScale scale;
    if (data.difference) {
        scale.map = theme.differences();
        scale.min = -data.largest;
        scale.max = data.largest;
        scale.unit = QStringLiteral("A − B");
        return scale;
    }
    scale.map = theme.amounts;
    scale.log = options.log;
    scale.unit = QStringLiteral("attention");
    return scale;
}

figure::Matrix subtracted(const figure::Matrix& a, const figure::Matrix& b) {
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(a.rows) * static_cast<std::size_t>(a.cols));
    for (int row = 0; row < a.rows; ++row)
        for (int col = 0; col < a.cols; ++col)
            values.push_back(a.at(row, col) - b.at(row, col));
    return figure::make_matrix(a.rows, a.cols, std::move(values));
}

figure::Matrix mean_of_layer(const AttentionData& data, int layer) {
    const int size = data.run->size();
    std::vector<float> values(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), 0.0F);
    for (int head = 0; head < data.run->heads; ++head) {
        const figure::Matrix& pattern = data.pattern(layer, head);
        for (int row = 0; row < size; ++row)
            for (int col = 0; col <= row; ++col)
                values[static_cast<std::size_t>(row) * static_cast<std::size_t>(size) +
                       static_cast<std::size_t>(col)] +=
                    pattern.at(row, col) / static_cast<float>(data.run->heads);
    }
    return figure::make_matrix(size, size, std::move(values));
}

} // namespace

HeadFacts facts_of(const ShownRun& run) {
    HeadFacts out;
    for (int layer = 0; layer < run.layers; ++layer)
        for (int head = 0; head < run.heads; ++head) {
            const figure::Matrix pattern = run.pattern(layer, head);
            out.sinks.push_back(sink_columns(pattern));
            out.sink_mass.push_back(mass_on(pattern, out.sinks.back()));
            double entropy = 0;
            for (int query = 0; query < run.size(); ++query)
                entropy += row_entropy(pattern, query);
            out.entropy.push_back(run.size() == 0 ? 0 : entropy / run.size());
        }
    return out;
}

AttentionData attention_data(const Desk& desk) {
    AttentionData out;
    out.run = desk.shown();
    if (!out.run) {
        out.said_in_place = QStringLiteral("Type a prompt above: every head's attention appears here.");
        return out;
    }
    out.difference = desk.side() == Side::difference;
    if (out.difference)
        out.said_in_place = desk.why_no_difference();
    else if (!out.run->has_patterns())
        out.said_in_place =
            QStringLiteral("This run was made without attention patterns. Press Run to make it again.");
    if (!out.said_in_place.isEmpty()) return out;
    const ShownRun& run = *out.run;
    for (int layer = 0; layer < run.layers; ++layer)
        for (int head = 0; head < run.heads; ++head)
            out.patterns.push_back(
                out.difference ? subtracted(desk.a()->pattern(layer, head), desk.b()->pattern(layer, head))
                               : run.pattern(layer, head));
    if (out.difference) {
        out.largest = 0;
        for (const figure::Matrix& pattern : out.patterns)
            for (const float value : pattern.tensor->data)
                out.largest = std::max<double>(out.largest, std::abs(value));
        if (out.largest == 0)
            out.said_in_place = QStringLiteral("A and B are equal: every difference is zero.");
    } else {
        out.facts = facts_of(run);
    }
    return out;
}

std::shared_ptr<figure::AttentionGrid>
grid_picture(const AttentionData& data, const AttentionOptions& options, const figure::Theme& theme) {
    auto grid = std::make_shared<figure::AttentionGrid>();
    grid->title = data.difference ? QStringLiteral("All heads, A − B") : QStringLiteral("All heads");
    grid->said_in_place = data.said_in_place;
    if (!data.said_in_place.isEmpty()) return grid;
    grid->layers = data.run->layers;
    grid->heads = data.run->heads;
    grid->scale = scale_of(data, options, theme);
    grid->patterns = data.patterns;
    if (data.difference) return grid;
    grid->sinks = data.facts.sinks;
    for (std::size_t at = 0; at < data.patterns.size(); ++at) {
        grid->notes.push_back(
            QStringLiteral("sink mass %1 · entropy %2 nats (means over queries)")
                .arg(figure::number(data.facts.sink_mass[at]), figure::number(data.facts.entropy[at])));
        if (!options.sinks_out) continue;
        grid->patterns[at] = without_columns(data.patterns[at], data.facts.sinks[at]);
        grid->opacity.push_back(1 - data.facts.sink_mass[at]);
    }
    grid->sinks_out = options.sinks_out;
    if (options.sinks_out) grid->title += QStringLiteral(", sinks left out");
    return grid;
}

std::shared_ptr<figure::Heatmap> head_picture(const AttentionData& data, const AttentionOptions& options,
                                              const Place& place, const figure::Theme& theme) {
    auto map = std::make_shared<figure::Heatmap>();
    map->said_in_place = data.said_in_place;
    map->square = true;
    map->style.causal = true;
    map->style.scale = scale_of(data, options, theme);
    map->row_title = QStringLiteral("query");
    map->col_title = QStringLiteral("key");
    if (!data.said_in_place.isEmpty()) return map;
    const auto at = static_cast<std::size_t>(place.layer) * static_cast<std::size_t>(data.run->heads) +
                    static_cast<std::size_t>(place.head);
    map->title = options.average
                     ? QStringLiteral("L%1, mean over its %2 heads").arg(place.layer).arg(data.run->heads)
                     : QStringLiteral("L%1 H%2").arg(place.layer).arg(place.head);
    map->values = options.average ? mean_of_layer(data, place.layer) : data.patterns[at];
    map->row_labels = map->col_labels = token_labels(*data.run);
    if (data.difference) {
        map->title += QStringLiteral(", A − B");
        return map;
    }
    map->style.marked = options.average ? sink_columns(map->values) : data.facts.sinks[at];
    if (options.sinks_out) {
        map->style.opacity = 1 - mass_on(map->values, map->style.marked);
        map->values = without_columns(map->values, map->style.marked);
        map->sinks_out = true;
        map->title += QStringLiteral(", sinks left out");
    }
    return map;
}

QStringList token_labels(const ShownRun& run) {
    QStringList out;
    for (const figure::Token& token : run.tokens)
        out << token.shown;
    return out;
}

namespace {

engine::ResultAxis token_axis(const char* name, const ShownRun& run) {
    engine::ResultAxis axis{name, run.size(), {}};
    for (const figure::Token& token : run.tokens)
        axis.labels.push_back(token.shown.toStdString());
    return axis;
}

void append(const figure::Matrix& pattern, std::vector<double>& to) {
    for (int row = 0; row < pattern.rows; ++row)
        for (int col = 0; col < pattern.cols; ++col)
            to.push_back(pattern.at(row, col));
}

} // namespace

std::vector<engine::ResultValue> grid_results(const AttentionData& data) {
    engine::ResultValue out{"attention", "stack", {}, {}, {}, {}};
    out.axes = {{"layer", data.run->layers, {}},
                {"head", data.run->heads, {}},
                token_axis("query", *data.run),
                token_axis("key", *data.run)};
    for (const figure::Matrix& pattern : data.patterns)
        append(pattern, out.data);
    return {out};
}

std::vector<engine::ResultValue> head_results(const AttentionData& data, const Place& place) {
    engine::ResultValue out{"attention", "matrix", {}, {}, {}, {}};
    out.axes = {token_axis("query", *data.run), token_axis("key", *data.run)};
    append(data.pattern(place.layer, place.head), out.data);
    return {out};
}

QString capture_command(const ShownRun& run, const QString& capture) {
    QString ids;
    for (const figure::Token& token : run.tokens)
        ids += (ids.isEmpty() ? QString() : QStringLiteral(",")) + QString::number(token.id);
    QString out =
        QStringLiteral("vitrine-cli run %1 --ids %2 --positions all").arg(shell_word(run.model), ids);
    if (!run.beside.empty()) {
        QString other;
        for (const std::int32_t id : run.beside)
            other += (other.isEmpty() ? QString() : QStringLiteral(",")) + QString::number(id);
        out += QStringLiteral(" --ids ") + other;
    }
    for (const QString& edit : run.edits)
        out += QStringLiteral(" --edit ") + shell_word(edit);
    if (!capture.isEmpty()) out += QStringLiteral(" --capture %1 --out run.h5").arg(shell_word(capture));
    if (run.device != QLatin1String("cpu")) out += QStringLiteral(" --device ") + shell_word(run.device);
    if (run.precision != QLatin1String("exact")) out += QStringLiteral(" --precision ") + run.precision;
    return out;
}

} // namespace vitrine::views
