#include "app/cli/bench_specs.h"

#include <fmt/format.h>

namespace vitrine::cli {

namespace {

run::RunSpec next_token_of(std::vector<run::RunRow> rows) {
    run::RunSpec spec;
    spec.rows = std::move(rows);
    spec.top = 1;
    spec.loss = false;
    return spec;
}

run::EditSpec edit_of(std::string hook, run::EditOp op, std::size_t row) {
    run::EditSpec edit;
    edit.hook = std::move(hook);
    edit.row = run::Selector::one(static_cast<int>(row));
    edit.op = op;
    return edit;
}

} // namespace

run::RunRow bench_row(const model::ModelSpec& model, int tokens) {
    run::RunRow row;
    for (int i = 0; i < tokens; ++i)
        row.ids.push_back(static_cast<std::int32_t>((13 + 7919LL * i) % model.vocab));
    return row;
}

run::RunSpec forward_spec(const model::ModelSpec& model, int tokens, bool everything) {
    run::RunSpec spec = next_token_of({bench_row(model, tokens)});
    if (everything) spec.captures = {"blocks.*.attn.hook_pattern", "blocks.*.hook_resid_*"};
    return spec;
}

run::RunSpec sweep_spec(const model::ModelSpec& model, int tokens) {
    run::RunSpec spec = next_token_of({bench_row(model, tokens)});
    for (int layer = 0; layer < model.layers; ++layer)
        for (int head = 0; head < model.heads; ++head) {
            run::EditSpec edit =
                edit_of(fmt::format("blocks.{}.attn.hook_z", layer), run::EditOp::zero, spec.rows.size());
            edit.head = run::Selector::one(head);
            spec.edits.push_back(std::move(edit));
            spec.rows.push_back(spec.rows.front());
        }
    return spec;
}

run::RunSpec patch_spec(const model::ModelSpec& model, int tokens) {
    run::RunRow corrupted = bench_row(model, tokens);
    for (std::size_t i = 1; i < corrupted.ids.size(); ++i)
        corrupted.ids[i] = (corrupted.ids[i] + 1) % model.vocab;
    run::RunSpec spec = next_token_of({bench_row(model, tokens), corrupted});
    for (int layer = 0; layer < model.layers; ++layer)
        for (int pos = 0; pos < tokens; ++pos) {
            run::EditSpec edit =
                edit_of(fmt::format("blocks.{}.hook_resid_pre", layer), run::EditOp::from, spec.rows.size());
            edit.pos = run::Selector::one(pos);
            edit.from_row = 0;
            spec.edits.push_back(std::move(edit));
            spec.rows.push_back(corrupted);
        }
    return spec;
}

} // namespace vitrine::cli
