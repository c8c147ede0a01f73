#include "views/cause/effect_pictures.h"

#include <QObject>
#include <algorithm>
#include <cmath>

#include "views/figure/column.h"
#include "views/figure/curves.h"
#include "views/figure/figure_for.h"
#include "views/figure/heatmap.h"
#include "views/figure/quantity.h"
#include "views/figure/theme.h"

namespace vitrine::views {

namespace {

const engine::ResultValue* find(const std::vector<engine::ResultValue>& results, const std::string& name) {
    const auto found = std::find_if(results.begin(), results.end(), [&](const engine::ResultValue& result) {
        return result.name == name || result.name == name + "_difference";
    });
    return found == results.end() ? nullptr : &*found;
}

double number(const std::vector<engine::ResultValue>& results, const std::string& name) {
    const engine::ResultValue* result = find(results, name);
    return result != nullptr && result->axes.empty() && !result->data.empty() ? result->data.front() : 0;
}

} // namespace

figure::PicturePtr effects_picture(const std::vector<engine::ResultValue>& results, const Json& parameters,
                                   const figure::Theme& theme) {
    struct Part {
        const char* name;
        QString title; ///< empty: the result's own
    };
    const Part parts[] = {{"effect", {}},     {"mlps", {}},  {"control", QObject::tr("Control")},
                          {"single", {}},     {"order", {}}, {"output_distance", {}},
                          {"selectivity", {}}};
    if (find(results, "effect") == nullptr && find(results, "single") == nullptr &&
        find(results, "selectivity") == nullptr)
        return nullptr;
    // Patching and tracing give the metric of the changed run: what changed is seen from the other one's.
    const bool noise = parameters.value("direction", std::string()) == "noise";
    const double centre =
        find(results, "corrupted") == nullptr ? 0 : number(results, noise ? "clean" : "corrupted");
    double reach = 0;
    for (const char* name : {"effect", "control", "mlps"})
        if (const engine::ResultValue* result = find(results, name))
            for (const double value : result->data)
                if (std::isfinite(value)) reach = std::max(reach, std::abs(value - centre));
    auto column = std::make_shared<figure::Column>();
    column->exact = true;
    for (const Part& part : parts) {
        const engine::ResultValue* result = find(results, part.name);
        if (result == nullptr) continue;
        auto picture = figure::figure_for(*result, theme);
        if (!picture) continue;
        figure::mark_heads(*picture, results, theme);
        if (auto* map = dynamic_cast<figure::Heatmap*>(picture.get()); map != nullptr && reach > 0) {
            const std::string name = part.name;
            if (name == "effect" || name == "control" || name == "mlps") {
                map->style.scale.map = theme.differences();
                map->style.scale.min = centre - reach;
                map->style.scale.max = centre + reach;
                map->style.scale.unit =
                    QString::fromStdString(parameters.value("metric", std::string("logit-diff")));
            }
            if (!part.title.isEmpty()) map->title = part.title;
        }
        column->parts.push_back(std::move(picture));
    }
    return column;
}

figure::PicturePtr circuit_picture(const std::vector<engine::ResultValue>& results) {
    auto curves = std::make_shared<figure::Curves>();
    for (const auto& [name, words] : {std::pair{"faithfulness", QObject::tr("circuit alone")},
                                      {"completeness", QObject::tr("all but the circuit")},
                                      {"random", QObject::tr("random, same size")}}) {
        const engine::ResultValue* result = find(results, name);
        if (result == nullptr || result->axes.size() != 1) continue;
        curves->lines.push_back({words, result->data});
        if (!curves->x.empty()) continue;
        for (std::int64_t i = 0; i < result->axes.front().size; ++i)
            curves->x.push_back(static_cast<double>(i + 1));
    }
    if (curves->lines.empty()) return nullptr;
    curves->title = QObject::tr("The circuit, member by member");
    curves->x_title = QObject::tr("members");
    curves->unit = QObject::tr("share of the metric");
    curves->meaning = QObject::tr("1: as the whole model; 0: as with every node ablated.");
    return curves;
}

std::vector<std::string> strongest(const std::vector<engine::ResultValue>& results, const std::string& metric,
                                   std::size_t count) {
    std::vector<std::string> names;
    const engine::ResultValue* table = find(results, "largest");
    if (table == nullptr || !table->json.is_array()) return names;
    const double helps = metric == "loss" || metric == "kl" ? 1 : -1; // sign of the effect of losing it
    for (const Json& line : table->json) {
        const Json effect = line.value("effect", Json());
        if (names.size() < count && effect.is_number() && effect.get<double>() * helps > 0)
            names.push_back(line.at("component").get<std::string>());
    }
    return names;
}

} // namespace vitrine::views
