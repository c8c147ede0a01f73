#include "views/attention/attention_pictures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "views/attention/long_pictures.h"
#include "views/attention/sinks.h"
#include "views/shared/figure_source.h"

namespace vitrine::views {

namespace {

figure::Matrix subtracted(const figure::Matrix& a, const figure::Matrix& b) {
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(a.rows) * static_cast<std::size_t>(a.cols));
    for (int row = 0; row < a.rows; ++row)
        for (int col = 0; col < a.cols; ++col)
            values.push_back(a.at(row, col) - b.at(row, col));
    return figure::make_matrix(a.rows, a.cols, std::move(values));
}

// Mean over some heads; what one of them lacks, it lacks too.
figure::Matrix mean_of(const AttentionData& data, const std::vector<HeadSet::Head>& heads) {
    const int size = data.run->size();
    std::vector<float> values(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), 0.0F);
    for (const auto& [layer, head] : heads) {
        const figure::Matrix& pattern = data.pattern(layer, head);
        for (int row = 0; row < size; ++row)
            for (int col = 0; col <= row; ++col)
                values[static_cast<std::size_t>(row) * static_cast<std::size_t>(size) +
                       static_cast<std::size_t>(col)] +=
                    pattern.at(row, col) / static_cast<float>(heads.size());
    }
    return figure::make_matrix(size, size, std::move(values));
}

std::vector<HeadSet::Head> heads_of_layer(const AttentionData& data, int layer) {
    std::vector<HeadSet::Head> out;
    for (int head = 0; head < data.heads; ++head)
        out.emplace_back(layer, head);
    return out;
}

QString run_again() {
    return QStringLiteral("This run was made without attention patterns. Press Run to make it again.");
}

} // namespace

std::string name_of(Measure measure) {
    return measure == Measure::score            ? "score"
           : measure == Measure::value_weighted ? "value_weighted"
           : measure == Measure::rollout        ? "rollout"
                                                : "attention";
}

QString equal_sides() { return QStringLiteral("A and B are equal: every difference is zero."); }

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
    scale.min = data.smallest;
    scale.max = data.largest;
    scale.log = options.log && data.measure != Measure::score;
    if (scale.log) scale.min = 0, scale.floor = (data.run && data.run->is_long() ? 1e-5 : 1e-4) * scale.max;
    scale.unit = analysis_of(data.measure).unit;
    return scale;
}

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
    else if (!out.run->has_patterns() && !out.run->is_long())
        out.said_in_place = run_again();
    if (out.said_in_place.isEmpty()) out.said_in_place = why_not_long(desk);
    if (!out.said_in_place.isEmpty()) return out;
    const ShownRun& run = *out.run;
    out.heads = run.heads;
    if (run.is_long()) return out;
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
        if (out.largest == 0) out.said_in_place = equal_sides();
    } else {
        out.facts = facts_of(run);
    }
    return out;
}

MeasureAnalysis analysis_of(Measure measure) {
    switch (measure) {
    case Measure::score:
        return {QStringLiteral("attention"),
                {{"show", "score"}},
                QStringLiteral("attention"),
                QStringLiteral("score"),
                QObject::tr("query · key, scaled, before the softmax; only differences within a row count")};
    case Measure::value_weighted:
        return {QStringLiteral("attention"),
                {{"show", "value-weighted"}},
                QStringLiteral("attention"),
                QStringLiteral("A·‖vW_O‖"),
                QObject::tr("the weight times the length of what it moves: a sink's value is short")};
    case Measure::rollout:
        return {QStringLiteral("attention-rollout"), Json::object(), QStringLiteral("rollout"),
                QStringLiteral("rollout"),
                QObject::tr("share of the input token at key in the query's residual stream, if each layer "
                            "passed on its input and what it attends to in equal halves")};
    case Measure::weight:
        break;
    }
    return {{},
            Json::object(),
            {},
            QStringLiteral("attention"),
            QObject::tr("the weight that the query gives to the key")};
}

attention::Cells cells_of(Measure measure) {
    return measure == Measure::score            ? attention::Cells::score
           : measure == Measure::value_weighted ? attention::Cells::value_weighted
                                                : attention::Cells::weight;
}

AttentionData measured_data(const Desk& desk, Measure measure,
                            const std::vector<engine::ResultValue>& results) {
    AttentionData out;
    out.run = desk.shown();
    out.measure = measure;
    if (!out.run) return attention_data(desk);
    out.difference = desk.side() == Side::difference;
    std::string name = analysis_of(measure).result.toStdString();
    if (out.difference) name += "_difference";
    const auto found = std::find_if(results.begin(), results.end(),
                                    [&](const engine::ResultValue& result) { return result.name == name; });
    const std::int64_t size = out.run->size(), each = size * size;
    if (found == results.end() || each == 0 ||
        found->data.size() % static_cast<std::size_t>(each * out.run->layers) != 0) {
        out.said_in_place = QObject::tr("On its way…");
        return out;
    }
    out.heads = static_cast<int>(found->data.size() / static_cast<std::size_t>(each * out.run->layers));
    std::vector<float> values(found->data.begin(), found->data.end());
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (std::size_t at = 0; at < values.size(); ++at) {
        const auto cell = static_cast<std::int64_t>(at) % each;
        if (cell % size > cell / size || !std::isfinite(values[at])) continue; // above the diagonal
        low = std::min<double>(low, values[at]);
        high = std::max<double>(high, values[at]);
    }
    if (out.difference) {
        out.largest = std::max(std::abs(low), std::abs(high));
        if (out.largest == 0) out.said_in_place = equal_sides();
    } else {
        out.smallest = measure == Measure::score ? low : 0;
        out.largest = measure == Measure::rollout ? 1 : high;
        if (!(out.largest > out.smallest)) out.largest = out.smallest + 1;
    }
    const auto shared =
        std::make_shared<const Tensor>(Shape{static_cast<std::int64_t>(values.size())}, std::move(values));
    for (std::int64_t at = 0; at < std::int64_t{out.run->layers} * out.heads; ++at)
        out.patterns.push_back({shared, at * each, static_cast<int>(size), static_cast<int>(size)});
    return out;
}

std::shared_ptr<figure::AttentionGrid>
grid_picture(const AttentionData& data, const AttentionOptions& options, const figure::Theme& theme) {
    auto grid = std::make_shared<figure::AttentionGrid>();
    grid->title = data.difference ? QStringLiteral("All heads, A − B") : QStringLiteral("All heads");
    grid->said_in_place = data.said_in_place;
    if (!data.said_in_place.isEmpty()) return grid;
    grid->layers = data.run->layers;
    grid->heads = data.heads;
    grid->merged = data.heads == 1 && data.run->heads > 1;
    if (grid->merged)
        grid->title = data.difference ? QStringLiteral("By layer, A − B") : QStringLiteral("By layer");
    grid->scale = scale_of(data, options, theme);
    grid->patterns = data.patterns;
    if (data.difference || data.measure != Measure::weight) return grid;
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
                                              const Place& place, const HeadSet& set,
                                              const figure::Theme& theme) {
    auto map = std::make_shared<figure::Heatmap>();
    map->said_in_place = data.said_in_place;
    map->square = true;
    map->style.causal = true;
    map->style.scale = scale_of(data, options, theme);
    map->row_title = QStringLiteral("query");
    map->col_title = QStringLiteral("key");
    if (!data.said_in_place.isEmpty()) return map;
    const bool average = options.large != Large::head && data.heads > 1;
    const bool of_set = average && options.large == Large::set_mean;
    if (of_set && set.all().empty()) {
        map->said_in_place =
            QObject::tr("The set is empty: press S on a head, or right-click it, to add it.");
        return map;
    }
    if (data.heads == 1 && data.run->heads > 1)
        map->title = QObject::tr("Up to layer %1, all heads").arg(place.layer);
    else if (of_set)
        map->title = set.all().size() > 3 ? QObject::tr("Mean of the set's %1 heads").arg(set.all().size())
                                          : QObject::tr("Mean of %1").arg(set.names());
    else if (average)
        map->title = QStringLiteral("L%1, mean over its %2 heads").arg(place.layer).arg(data.heads);
    else
        map->title = QStringLiteral("L%1 H%2").arg(place.layer).arg(place.head);
    map->values = of_set    ? mean_of(data, set.all())
                  : average ? mean_of(data, heads_of_layer(data, place.layer))
                            : data.pattern(place.layer, place.head);
    map->row_labels = map->col_labels = token_labels(*data.run);
    if (data.difference) {
        map->title += QStringLiteral(", A − B");
        return map;
    }
    if (data.measure != Measure::weight) return map;
    map->style.marked = sink_columns(map->values);
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
    engine::ResultValue out{name_of(data.measure), "stack", {}, {}, {}, {}};
    out.axes = {{"layer", data.run->layers, {}},
                {"head", data.heads, {}},
                token_axis("query", *data.run),
                token_axis("key", *data.run)};
    for (const figure::Matrix& pattern : data.patterns)
        append(pattern, out.data);
    return {out};
}

std::vector<engine::ResultValue> head_results(const AttentionData& data, const Place& place) {
    engine::ResultValue out{name_of(data.measure), "matrix", {}, {}, {}, {}};
    out.axes = {token_axis("query", *data.run), token_axis("key", *data.run)};
    append(data.pattern(place.layer, place.head), out.data);
    return {out};
}

namespace {

QString joined(const std::vector<std::int32_t>& ids) {
    QStringList out;
    for (const std::int32_t id : ids)
        out << QString::number(id);
    return out.join(QLatin1Char(','));
}

QString with_device(const ShownRun& run) {
    QString out;
    if (run.device != QLatin1String("cpu")) out += QStringLiteral(" --device ") + shell_word(run.device);
    if (run.precision != QLatin1String("exact")) out += QStringLiteral(" --precision ") + run.precision;
    return out;
}

std::vector<std::int32_t> ids_of(const ShownRun& run) {
    std::vector<std::int32_t> out;
    for (const figure::Token& token : run.tokens)
        out.push_back(token.id);
    return out;
}

} // namespace

QString capture_command(const ShownRun& run, const QString& capture) {
    QString out = QStringLiteral("vitrine-cli run %1 --ids %2 --positions all")
                      .arg(shell_word(run.model), joined(ids_of(run)));
    if (!run.beside.empty()) out += QStringLiteral(" --ids ") + joined(run.beside);
    out += command_options(run.edits);
    if (!capture.isEmpty()) out += QStringLiteral(" --capture %1 --out run.h5").arg(shell_word(capture));
    return out + with_device(run);
}

QString analyze_command(const ShownRun& run, const QString& id, const std::vector<std::int32_t>& ids,
                        const QStringList& edits) {
    QString out = QStringLiteral("vitrine-cli analyze %1 %2").arg(id, shell_word(run.model));
    if (!ids.empty()) out += QStringLiteral(" --ids ") + joined(ids); // none: of the model alone
    return out + command_options(edits) + with_device(run);
}

} // namespace vitrine::views
