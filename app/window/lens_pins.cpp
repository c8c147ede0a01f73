#include "app/window/lens_pins.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "views/figure/column.h"
#include "views/figure/figure_for.h"
#include "views/figure/heatmap.h"
#include "views/figure/quantity.h"
#include "views/figure/series.h"
#include "views/figure/token_grid.h"

namespace vitrine::window {

namespace {

constexpr std::size_t most = 6; ///< hues that can be told apart

const engine::ResultValue* find(const engine::AnalysisRecord& record, const std::string& name) {
    for (const engine::ResultValue& result : record.results)
        if (result.name == name || result.name == name + "_difference") return &result;
    return nullptr;
}

// Their texts, in the order in which the results follow them.
QStringList names_of(const engine::AnalysisRecord& record) {
    QStringList out;
    const engine::ResultValue* tokens = find(record, "token");
    if (tokens && tokens->json.is_array())
        for (const Json& entry : tokens->json)
            if (entry.value("row", 0) == 0)
                out << (entry.contains("token") && entry["token"].is_string()
                            ? figure::shown_token(entry["token"].get<std::string>())
                            : QString::number(entry.value("id", 0)));
    return out;
}

// A line by layer for each token.
std::shared_ptr<figure::Series> lines_of(const engine::ResultValue& result, const QStringList& names) {
    auto out = std::make_shared<figure::Series>();
    const engine::ResultAxis& layers = result.axes.back();
    if (layers.name != "layer") return nullptr; // more than one position
    out->title = figure::quantity_of(result.name).title;
    out->meaning = figure::quantity_of(result.name).meaning;
    out->x_title = QStringLiteral("layer");
    for (std::int64_t layer = 0; layer < layers.size; ++layer)
        out->x_labels << QStringLiteral("L%1").arg(layer);
    const auto length = static_cast<std::size_t>(layers.size);
    for (std::size_t at = 0; length > 0 && (at + 1) * length <= result.data.size() && at < most; ++at)
        out->lines.push_back({names.value(static_cast<int>(at)),
                              {result.data.begin() + static_cast<std::ptrdiff_t>(at * length),
                               result.data.begin() + static_cast<std::ptrdiff_t>((at + 1) * length)}});
    return out;
}

figure::PicturePtr paint_followed(const engine::AnalysisRecord& record, const figure::Theme& theme) {
    auto out = std::make_shared<figure::Column>();
    out->exact = true;
    for (const char* name : {"rank", "prob"})
        if (const engine::ResultValue* result = find(record, name)) {
            const auto part = lines_of(*result, names_of(record));
            if (part) { // one under the other: one legend, one axis
                part->axis = std::string(name) == "prob";
                part->legend = !part->axis;
            }
            out->parts.push_back(part ? figure::PicturePtr(part) : figure::figure_for(*result, theme));
        }
    return out;
}

// Entropy and KL one under the other, over the same positions; the tokens stand on the strip and in the grid.
figure::PicturePtr paint_entropy(const engine::AnalysisRecord& record, const figure::Theme& theme) {
    auto out = std::make_shared<figure::Column>();
    out->exact = true;
    for (const char* name : {"entropy", "kl_to_final"})
        if (const engine::ResultValue* result = find(record, name)) {
            out->parts.push_back(figure::figure_for(*result, theme));
            if (auto* map = dynamic_cast<figure::Heatmap*>(out->parts.back().get())) map->col_labels.clear();
        }
    return out;
}

const char* const attribution_id = "direct-logit-attribution";

// What each part adds to the token's logit, and the sum of the parts beside the model's own.
figure::PicturePtr paint_parts(const engine::AnalysisRecord& record, const figure::Theme& theme) {
    if (find(record, "kl_to_final")) return paint_entropy(record, theme);
    const engine::ResultValue* bars = find(record, "attribution");
    if (!bars) return figure::figure_for(record.results, theme);
    figure::PicturePtr out = figure::figure_for(*bars, theme);
    const auto series = std::dynamic_pointer_cast<figure::Series>(out);
    const engine::ResultValue* logits = find(record, "logits");
    if (!series || !logits || !logits->json.is_array() || logits->json.size() != 1) return out;
    const Json& told = logits->json.front();
    series->title =
        QObject::tr("%1: sum of the parts %2, logit %3")
            .arg(figure::shown_token(told.value("token", std::string())),
                 figure::number(told.value("sum", 0.0)), figure::number(told.value("logit", 0.0)));
    return out;
}

} // namespace

Panel LensPins::grid() {
    return {{QStringLiteral("lens")}, {QStringLiteral("top")}, {}, {{"position", "all"}, {"top", 1}}};
}

Panel LensPins::followed() { return {{QStringLiteral("lens")}, {}, paint_followed, {{"top", 0}}}; }

Panel LensPins::parts() {
    return {{QLatin1String(attribution_id), QStringLiteral("ffn-memories"), QStringLiteral("early-exit"),
             QStringLiteral("lens-entropy")},
            {},
            paint_parts};
}

LensPins::LensPins(views::Desk& desk, PanelPage& page, QObject* parent)
    : QObject(parent), desk_(desk), page_(page) {
    page_.main()->set_painter([this](const engine::AnalysisRecord& record, const figure::Theme& theme) {
        return paint_grid(record, theme);
    });
    connect(page_.main()->canvas(), &views::FigureCanvas::clicked, this, [this](const QPointF& at) {
        views::FigureCanvas* canvas = page_.main()->canvas();
        const auto grid = std::dynamic_pointer_cast<figure::TokenGrid>(canvas->picture());
        const int id = grid ? grid->token_at(at, canvas->frame(), desk_.theme()) : -1;
        if (id >= 0) toggle(id);
    });
    connect(page_.main(), &AnalysisPage::finished, this, &LensPins::follow);
    connect(&desk_.selection, &views::Selection::changed, this, &LensPins::follow);
    connect(page_.beside(1), &AnalysisPage::state_changed, this, [this] {
        if (std::exchange(told_, page_.beside(1)->chosen()) != told_) follow();
    });
}

figure::PicturePtr LensPins::paint_grid(const engine::AnalysisRecord& record,
                                        const figure::Theme& theme) const {
    const engine::ResultValue* top = find(record, "top");
    if (!top) return figure::figure_for(record.results, theme); // a difference has no tokens
    figure::PicturePtr out = figure::figure_for(*top, theme);
    if (const auto grid = std::dynamic_pointer_cast<figure::TokenGrid>(out)) {
        grid->pinned = {pinned_.begin(), pinned_.end()};
        grid->windowed = true;
    }
    return out;
}

void LensPins::toggle(std::int32_t id) {
    const auto found = std::find(pinned_.begin(), pinned_.end(), id);
    if (found != pinned_.end())
        pinned_.erase(found);
    else
        pinned_.push_back(id);
    if (pinned_.size() > most) pinned_.erase(pinned_.begin());
    page_.main()->redraw();
    follow();
    emit state_changed();
}

std::vector<std::int32_t> LensPins::leading_at(int position) const {
    std::vector<std::int32_t> out;
    const engine::AnalysisRecord* record = page_.main()->shown();
    const engine::ResultValue* top = record ? find(*record, "top") : nullptr;
    if (!top || !top->json.is_array()) return out;
    // From the last layer down: what leads late says more.
    for (auto entry = top->json.rbegin(); entry != top->json.rend(); ++entry) {
        if (entry->value("rank", -1) != 0 || entry->value("position", -1) != position) continue;
        const auto id = entry->value("id", std::int32_t{-1});
        if (id >= 0 && out.size() < most && std::find(out.begin(), out.end(), id) == out.end())
            out.push_back(id);
    }
    return out;
}

void LensPins::follow() {
    const int position = desk_.selection.place().query;
    const std::vector<std::int32_t> tokens = pinned_.empty() ? leading_at(position) : pinned_;
    AnalysisPage* panel = page_.beside(0);
    Json values = panel->values();
    values["position"] = std::to_string(position);
    values["top"] = "0";
    values.erase("token");
    std::string text;
    for (const std::int32_t id : tokens)
        text += (text.empty() ? "" : ",") + std::to_string(id);
    if (!text.empty()) values["token"] = text;
    panel->set_values(values);
    panel->run_if_live();
    AnalysisPage* parts = page_.beside(1);
    if (parts->chosen() != QLatin1String(attribution_id)) return;
    values = parts->values();
    values["position"] = std::to_string(position);
    values.erase("token");
    if (!pinned_.empty()) values["token"] = std::to_string(pinned_.front());
    parts->set_values(values);
    parts->run_if_live();
}

Json LensPins::state() const { return {{"pinned", pinned_}}; }

void LensPins::restore(const Json& state) {
    pinned_.clear();
    const auto found = state.is_object() ? state.find("pinned") : state.end();
    if (state.is_object() && found != state.end() && found->is_array())
        for (const Json& id : *found)
            if (id.is_number_integer() && pinned_.size() < most) pinned_.push_back(id.get<std::int32_t>());
    page_.main()->redraw();
    follow();
}

} // namespace vitrine::window
