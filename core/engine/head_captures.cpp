#include "core/engine/head_captures.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/attention/open_head.h"
#include "core/model/hooks.h"

namespace vitrine::engine {

namespace {

std::string pattern_of(int layer) { return fmt::format("blocks.{}.attn.hook_pattern", layer); }
std::string scores_of(int layer) { return fmt::format("blocks.{}.attn.hook_attn_scores", layer); }

} // namespace

std::vector<bool> layers_with_changed_attention(const model::ModelSpec& model,
                                                const std::vector<run::EditSpec>& edits) {
    std::vector<bool> out(static_cast<std::size_t>(model.layers), false);
    for (const run::EditSpec& edit : edits) {
        const auto hooks = model::match_hooks(model, edit.hook);
        if (!hooks) continue;
        for (const model::HookInfo& hook : *hooks)
            for (int layer = 0; layer < model.layers; ++layer)
                if (hook.name == pattern_of(layer) || hook.name == scores_of(layer))
                    out[static_cast<std::size_t>(layer)] = true;
    }
    return out;
}

Result<HeadCaptures> HeadCaptures::take(const model::ModelSpec& model, run::RunSpec& spec) {
    HeadCaptures out;
    out.policy_ = spec.attention;
    const std::vector<bool> changed = layers_with_changed_attention(model, spec.edits);
    std::vector<std::string> captures;
    for (const std::string& capture : spec.captures) {
        const std::size_t at = capture.find('@');
        if (at == std::string::npos) {
            captures.push_back(capture);
            continue;
        }
        int head = -1;
        std::from_chars(capture.data() + at + 1, capture.data() + capture.size(), head);
        const std::string hook = capture.substr(0, at);
        int layer = 0;
        while (layer < model.layers && pattern_of(layer) != hook && scores_of(layer) != hook)
            ++layer;
        if (layer == model.layers || head < 0 || head >= model.heads)
            return fail(Code::not_found,
                        fmt::format("There is no pattern of one head {}: write blocks.L.attn.hook_pattern@H "
                                    "or blocks.L.attn.hook_attn_scores@H.",
                                    capture));
        if (changed[static_cast<std::size_t>(layer)])
            return fail(
                Code::unsupported,
                fmt::format("An edit changes the attention of layer {} itself, and at this length its "
                            "patterns are not kept: leave the edit out, or shorten the prompt.",
                            layer));
        const bool scores = hook == scores_of(layer);
        out.wanted_.push_back(
            {layer, head, scores ? attention::Cells::score : attention::Cells::weight, capture});
        const attention::ScoreHooks hooks = attention::score_hooks(model, layer, spec.attention);
        captures.insert(captures.end(), {hooks.q, hooks.k});
    }
    spec.captures = std::move(captures);
    return out;
}

Status HeadCaptures::fill(const model::ModelSpec& model, run::RunResult& result,
                          const CancelToken& cancel) const {
    if (wanted_.empty()) return {};
    ThreadPool pool;
    for (run::RowResult& row : result.rows)
        for (const Wanted& wanted : wanted_) {
            VITRINE_ASSIGN(const auto scores,
                           attention::take_layer_scores(model, wanted.layer, row, policy_));
            attention::OpenOptions options;
            options.cells = wanted.cells;
            VITRINE_ASSIGN(const auto open,
                           attention::OpenHead::open(scores, wanted.head, options, pool, cancel));
            const int tokens = open->tokens();
            const float hidden = wanted.cells == attention::Cells::score ? -INFINITY : 0.0F;
            Tensor pattern({1, tokens, tokens});
            std::fill(pattern.data.begin(), pattern.data.end(), hidden);
            constexpr int block = 64; // queries at a time, none of which sees what is not written
            pool.parallel_for(static_cast<std::size_t>((tokens + block - 1) / block), [&](std::size_t i) {
                const int first = static_cast<int>(i) * block;
                for (int query = first; query < std::min(first + block, tokens); ++query) {
                    const std::vector<float> line = open->row(query);
                    std::transform(line.begin(), line.end(),
                                   pattern.data.begin() + std::ptrdiff_t{query} * tokens,
                                   [hidden](float cell) { return std::isnan(cell) ? hidden : cell; });
                }
            });
            row.captures.push_back({wanted.name, {"head", "query", "key"}, std::move(pattern)});
        }
    return {};
}

} // namespace vitrine::engine
