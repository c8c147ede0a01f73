#include "app/window/shown_record.h"

#include <algorithm>

#include "core/base/version.h"
#include "core/engine/head_captures.h"

namespace vitrine::window {

namespace {

constexpr int top_tokens = 12;

/// Takes the queries and keys of a long run; nullptr if it captured patterns.
std::shared_ptr<attention::HeadStore> store_of(const model::ModelSpec& model, engine::RunRecord& record) {
    run::RowResult& row = record.result.rows.front();
    if (!row.find(attention::score_hooks(model, 0, record.spec.attention).q)) return nullptr;
    const std::vector<bool> changed = engine::layers_with_changed_attention(model, record.spec.edits);
    std::vector<std::optional<attention::LayerScores>> layers;
    for (int layer = 0; layer < model.layers; ++layer) {
        layers.emplace_back();
        if (changed[static_cast<std::size_t>(layer)]) continue;
        auto scores = attention::take_layer_scores(model, layer, row, record.spec.attention);
        if (scores) layers.back() = std::move(*scores);
    }
    for (run::RowResult& any : record.result.rows)
        any.captures.clear();
    return std::make_shared<attention::HeadStore>(std::move(layers), model.heads);
}

} // namespace

run::RunSpec spec_of(const model::ModelSpec& model, const run::RunRow& row, const engine::Changes& changes) {
    run::RunSpec spec;
    spec.edits = changes.edits;
    spec.attention = changes.attention;
    spec.rows = {row};
    spec.captures = {"blocks.*.attn.hook_pattern"};
    if (attention::patterns_are_too_large(model, static_cast<std::int64_t>(row.ids.size()))) {
        spec.captures.clear();
        for (int layer = 0; layer < model.layers; ++layer) {
            const attention::ScoreHooks hooks = attention::score_hooks(model, layer, changes.attention);
            spec.captures.insert(spec.captures.end(), {hooks.q, hooks.k});
        }
    }
    spec.choice = run::PositionChoice::all;
    spec.top = top_tokens;
    return spec;
}

figure::Token token_of(const engine::OpenModel& model, std::int32_t id) {
    figure::Token out;
    out.id = id;
    if (!model.tokenizer) {
        out.shown = QStringLiteral("#%1").arg(id);
        return out;
    }
    out.bytes = model.tokenizer->token_bytes(id);
    out.special = model.tokenizer->is_special(id);
    out.shown = figure::shown_token(out.bytes);
    return out;
}

views::RunPtr run_of(const std::shared_ptr<engine::OpenModel>& model, engine::RunRecord& record,
                     const QString& prompt) {
    auto out = std::make_shared<views::ShownRun>();
    out->step = record.step;
    out->prompt = prompt;
    for (const std::int32_t id : record.spec.rows.front().ids)
        out->tokens.push_back(token_of(*model, id));
    out->layers = model->model.spec.layers;
    out->heads = model->model.spec.heads;
    run::RowResult& row = record.result.rows.front();
    out->store = store_of(model->model.spec, record);
    for (int layer = 0; layer < out->layers; ++layer) {
        const run::Captured* pattern = row.find("blocks." + std::to_string(layer) + ".attn.hook_pattern");
        if (!pattern) {
            out->patterns.clear();
            break;
        }
        // The record lives as long as any view that shows it.
        out->patterns.push_back(std::make_shared<const Tensor>(pattern->tensor));
    }
    for (const run::PositionResult& position : row.positions)
        out->next.push_back(position.stats);
    out->loss = row.loss;
    out->token_of = [model](std::int32_t id) { return token_of(*model, id); };
    out->model = QString::fromStdString(model->request.name);
    out->device = QString::fromStdString(model->loaded->device().id);
    out->precision = QString::fromStdString(backend::name_of(model->loaded->precision()));
    out->engine_ms = record.result.run_ms + record.result.read_ms;
    out->provenance = Json{{"model", model->request.name},
                           {"weights_hash", model->model.weights_hash},
                           {"device", model->loaded->device().name},
                           {"driver", model->loaded->device().driver},
                           {"precision", backend::name_of(model->loaded->precision())},
                           {"version", version()},
                           {"prompt", prompt.toStdString()},
                           {"ids", record.spec.rows.front().ids},
                           {"spec", run::to_json(record.spec)}};
    return out;
}

} // namespace vitrine::window
