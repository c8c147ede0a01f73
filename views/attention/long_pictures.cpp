#include "views/attention/long_pictures.h"

#include <algorithm>

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
    if (desk.side() != Side::difference) return {};
    const bool is_long = (desk.a() && desk.a()->is_long()) || (desk.b() && desk.b()->is_long());
    if (!is_long) return {};
    return QObject::tr(
               "A − B is not drawn for %1 tokens: the differences of all cells would have to be kept. "
               "Look at A and B one after the other, or shorten the prompt.")
        .arg(desk.a() ? desk.a()->size() : 0);
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

std::shared_ptr<figure::AttentionGrid>
long_grid_picture(const AttentionData& data, const AttentionOptions& options, const figure::Theme& theme) {
    auto grid = std::make_shared<figure::AttentionGrid>();
    const ShownRun& run = *data.run;
    grid->title = options.sinks_out ? QObject::tr("All heads, sinks left out") : QObject::tr("All heads");
    grid->said_in_place = data.said_in_place;
    if (!data.said_in_place.isEmpty()) return grid;
    grid->layers = run.layers;
    grid->heads = run.heads;
    grid->scale = scale_of(data, options, theme);
    grid->sinks_out = options.sinks_out;
    const HeadFacts facts = long_facts_of(run);
    for (int layer = 0; layer < run.layers; ++layer)
        for (int head = 0; head < run.heads; ++head) {
            const std::size_t at = grid->patterns.size();
            auto brief = run.store->brief(layer, head);
            const bool sink =
                std::find(facts.sinks[at].begin(), facts.sinks[at].end(), true) != facts.sinks[at].end();
            QString note = QObject::tr("not read yet");
            if (brief)
                note = QObject::tr("sink mass %1 · entropy %2 nats (means over queries)")
                           .arg(figure::number(facts.sink_mass[at]), figure::number(facts.entropy[at]));
            if (!run.store->has_layer(layer)) note = QObject::tr("changed by an intervention: not kept");
            grid->notes.push_back(note);
            if (options.sinks_out && brief && sink) brief = run.store->brief(layer, head, true);
            grid->patterns.push_back(brief ? thumbnail_of(*brief, options.mean) : figure::Matrix());
            grid->sinks.push_back(coarse(facts.sinks[at], grid->patterns.back().cols));
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
    map->row_labels = map->col_labels = token_labels(*data.run);
    if (map->said_in_place.isEmpty() && options.large != Large::head)
        map->said_in_place = QObject::tr("Means over heads are not drawn for %1 tokens: their patterns are "
                                         "not kept. Choose \"One head\".")
                                 .arg(data.run->size());
    return map;
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

std::vector<engine::ResultValue> long_head_results(const ShownRun& run, const attention::OpenHead& head) {
    engine::ResultValue out{"attention", "matrix", {}, {}, {}, {}};
    engine::ResultAxis axis{"query", run.size(), {}};
    for (const figure::Token& token : run.tokens)
        axis.labels.push_back(token.shown.toStdString());
    out.axes = {axis, axis};
    out.axes[1].name = "key";
    for (int query = 0; query < run.size(); ++query) {
        for (const float weight : head.row(query))
            out.data.push_back(weight);
        out.data.resize(static_cast<std::size_t>(query + 1) * static_cast<std::size_t>(run.size()), 0.0);
    }
    return {out};
}

} // namespace vitrine::views
