#include "views/attention/long_pictures.h"

#include <algorithm>
#include <cmath>

#include "views/attention/sinks.h"

namespace vitrine::views {

namespace {

// A thumbnail takes the largest under a pixel, which says nothing of means: theirs are not finer than pixels.
constexpr int mean_thumbnail = 64;

figure::Matrix thumbnail_of(const attention::HeadBrief& brief, bool mean) {
    for (const attention::Level& level : brief.levels)
        if (level.size <= (mean ? mean_thumbnail : attention::HeadStore::brief_size))
            return figure::make_matrix(level.size, level.size, mean ? level.mean : level.largest);
    return {};
}

/// Cells that hold a marked column.
std::vector<bool> coarse(const std::vector<bool>& marked, int cells) {
    std::vector<bool> out(static_cast<std::size_t>(cells), false);
    if (cells == 0) return out;
    std::size_t cell = 1;
    while (cell * out.size() < marked.size())
        cell *= 2;
    for (std::size_t at = 0; at < marked.size(); ++at)
        if (marked[at]) out[at / cell] = true;
    return out;
}

} // namespace

QString why_not_long(const Desk& desk) {
    if (desk.side() != Side::difference || !desk.a() || !desk.b()) return {};
    if (desk.a()->is_long() == desk.b()->is_long()) return {};
    return QObject::tr("A − B is not drawn: of one of them all patterns are kept, of the other queries and "
                       "keys. Press Run to make both again.");
}

AttentionData long_data(const Desk& desk, Measure measure, const AttentionData& before) {
    AttentionData out;
    out.run = desk.shown();
    out.difference = desk.side() == Side::difference;
    out.measure = measure;
    out.heads = out.run->heads;
    out.store = out.run->store;
    if (out.difference) {
        out.run = desk.a();
        out.minus = desk.b();
        const bool same = before.store && before.minus && before.run->store == out.run->store &&
                          before.minus->store == out.minus->store;
        out.store =
            same ? before.store : std::make_shared<attention::HeadStore>(out.run->store, out.minus->store);
    }
    if (measure == Measure::rollout)
        out.said_in_place =
            QObject::tr("Rollout multiplies the patterns of all layers, which takes a matrix of "
                        "%1 × %1 numbers a layer: it is not computed for texts this long. "
                        "Shorten the prompt, or look at another measure.")
                .arg(out.run->size());
    widen_scale(out);
    return out;
}

bool widen_scale(AttentionData& data) {
    const double before_smallest = data.smallest, before_largest = data.largest;
    double low = INFINITY, high = 0;
    bool any = false, all = true;
    for (int layer = 0; layer < data.store->layers(); ++layer)
        for (int head = 0; head < data.store->heads(); ++head) {
            const auto brief = data.store->brief(layer, head, cells_of(data.measure));
            all = all && brief;
            if (!brief) continue;
            low = std::min<double>(low, brief->smallest);
            const double here = brief->largest();
            high = data.difference ? std::max(high, std::abs(here)) : any ? std::max(high, here) : here;
            any = true;
        }
    const bool by_heads = data.difference || data.measure != Measure::weight;
    if (by_heads) {
        data.smallest = any && data.measure == Measure::score && !data.difference ? low : 0;
        data.largest = any && high > data.smallest ? high : data.smallest + 1;
    }
    if (data.difference && any && all && high == 0) data.said_in_place = equal_sides();
    return data.smallest != before_smallest || data.largest != before_largest;
}

HeadFacts long_facts_of(const ShownRun& run) {
    HeadFacts out;
    for (int layer = 0; layer < run.layers; ++layer)
        for (int head = 0; head < run.heads; ++head) {
            const auto brief = run.store->brief(layer, head);
            out.sinks.push_back(brief ? sinks_by(brief->alpha) : std::vector<bool>());
            out.sink_mass.push_back(brief ? mass_by(brief->alpha, out.sinks.back()) : 0);
            out.entropy.push_back(brief ? brief->entropy : 0);
        }
    return out;
}

namespace {

std::vector<figure::Matrix> thumbnails_of(const AttentionData& data, bool mean) {
    std::vector<figure::Matrix> out;
    for (int layer = 0; layer < data.store->layers(); ++layer)
        for (int head = 0; head < data.store->heads(); ++head) {
            const auto brief = data.store->brief(layer, head, cells_of(data.measure));
            out.push_back(brief ? thumbnail_of(*brief, mean) : figure::Matrix());
        }
    return out;
}

} // namespace

std::shared_ptr<figure::AttentionGrid>
long_grid_picture(const AttentionData& data, const AttentionOptions& options, const figure::Theme& theme) {
    auto grid = std::make_shared<figure::AttentionGrid>();
    const ShownRun& run = *data.run;
    const bool of_weights = data.measure == Measure::weight && !data.difference;
    grid->title = data.difference                   ? QObject::tr("All heads, A − B")
                  : of_weights && options.sinks_out ? QObject::tr("All heads, sinks left out")
                                                    : QObject::tr("All heads");
    grid->said_in_place = data.said_in_place;
    if (!data.said_in_place.isEmpty()) return grid;
    grid->layers = run.layers;
    grid->heads = run.heads;
    grid->scale = scale_of(data, options, theme);
    grid->patterns = thumbnails_of(data, options.mean);
    for (std::size_t at = 0; at < grid->patterns.size(); ++at) {
        const int layer = static_cast<int>(at) / run.heads;
        grid->notes.push_back(!data.store->has_layer(layer)
                                  ? QObject::tr("changed by an intervention: not kept")
                              : grid->patterns[at].empty() ? QObject::tr("not read yet")
                                                           : QString());
    }
    if (!of_weights) return grid;
    grid->sinks_out = options.sinks_out;
    const HeadFacts facts = long_facts_of(run);
    for (std::size_t at = 0; at < grid->patterns.size(); ++at) {
        const int layer = static_cast<int>(at) / run.heads, head = static_cast<int>(at) % run.heads;
        if (!grid->patterns[at].empty())
            grid->notes[at] =
                QObject::tr("sink mass %1 · entropy %2 nats (means over queries)")
                    .arg(figure::number(facts.sink_mass[at]), figure::number(facts.entropy[at]));
        const bool sink =
            std::find(facts.sinks[at].begin(), facts.sinks[at].end(), true) != facts.sinks[at].end();
        if (options.sinks_out && sink) {
            const auto brief = data.store->brief(layer, head, attention::Cells::weight, true);
            grid->patterns[at] = brief ? thumbnail_of(*brief, options.mean) : figure::Matrix();
        }
        grid->sinks.push_back(coarse(facts.sinks[at], grid->patterns[at].cols));
        if (options.sinks_out) grid->opacity.push_back(1 - facts.sink_mass[at]);
    }
    return grid;
}

std::shared_ptr<figure::Heatmap> long_head_picture(const AttentionData& data, const AttentionOptions& options,
                                                   const Place& place, const figure::Theme& theme) {
    auto map = std::make_shared<figure::Heatmap>();
    map->said_in_place = data.said_in_place;
    map->square = true;
    map->style.causal = true;
    map->style.scale = scale_of(data, options, theme);
    map->row_title = QStringLiteral("query");
    map->col_title = QStringLiteral("key");
    map->mean = options.mean;
    map->title = QStringLiteral("L%1 H%2").arg(place.layer).arg(place.head);
    if (data.difference) map->title += QStringLiteral(", A − B");
    map->row_labels = map->col_labels = token_labels(*data.run);
    if (map->said_in_place.isEmpty() && options.large != Large::head)
        map->said_in_place = QObject::tr("Means over heads are not drawn for %1 tokens: their patterns are "
                                         "not kept. Choose \"One head\".")
                                 .arg(data.run->size());
    else if (map->said_in_place.isEmpty() && data.measure == Measure::value_weighted &&
             data.store->has_layer(place.layer) && !data.store->has_norms(place.layer))
        map->said_in_place =
            QObject::tr("Values of long texts are not kept: the model runs once more to measure them…");
    return map;
}

QString long_command(const AttentionData& data, const Place& place) {
    QString options = QStringLiteral(" --set layer=%1 --set head=%2").arg(place.layer).arg(place.head);
    const MeasureAnalysis analysis = analysis_of(data.measure);
    for (const auto& [name, value] : analysis.values.items())
        options += QStringLiteral(" --set ") + QString::fromStdString(name + "=" + value.get<std::string>());
    QStringList lines;
    for (const RunPtr& run : {data.run, data.minus}) {
        if (!run) continue;
        std::vector<std::int32_t> ids;
        for (const figure::Token& token : run->tokens)
            ids.push_back(token.id);
        lines << analyze_command(*run, QStringLiteral("attention"), ids, run->edits) + options;
    }
    return lines.join(QLatin1Char('\n'));
}

QString why_no_long_results(const ShownRun& run) {
    constexpr int longest = 4096;
    if (run.size() <= longest) return {};
    return QObject::tr(
               "The %1 × %1 numbers of this head are too many to be written from the window, which takes "
               "up to %2 × %2: export the picture, or use vitrine-cli analyze attention with --set "
               "layer= and --set head=.")
        .arg(run.size())
        .arg(longest);
}

std::vector<engine::ResultValue> long_head_results(const AttentionData& data,
                                                   const attention::OpenHead& head) {
    const ShownRun& run = *data.run;
    engine::ResultValue out{name_of(data.measure), "matrix", {}, {}, {}, {}};
    engine::ResultAxis axis{"query", run.size(), {}};
    for (const figure::Token& token : run.tokens)
        axis.labels.push_back(token.shown.toStdString());
    out.axes = {axis, axis};
    out.axes[1].name = "key";
    const double hidden = data.measure == Measure::score ? std::nan("") : 0.0;
    for (int query = 0; query < run.size(); ++query) {
        for (const float value : head.row(query))
            out.data.push_back(value);
        out.data.resize(static_cast<std::size_t>(query + 1) * static_cast<std::size_t>(run.size()), hidden);
    }
    return {out};
}

} // namespace vitrine::views
