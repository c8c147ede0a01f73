#include "core/model/hooks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fnmatch.h>
#include <optional>

#include <fmt/format.h>

namespace vitrine::model {

namespace {

using Axes = std::vector<std::string>;
constexpr int run = -1; // a size that the run decides

/// Hooks that cost much and are rarely meant: a glob matches them only if it holds the word beside them.
constexpr std::array<std::array<const char*, 2>, 6> on_request{{{"hook_attn_in", "attn_in"},
                                                                {"hook_q_input", "_input"},
                                                                {"hook_k_input", "_input"},
                                                                {"hook_v_input", "_input"},
                                                                {"hook_result", "result"},
                                                                {"hook_mlp_in", "mlp_in"}}};

class List {
public:
    explicit List(const ModelSpec& spec) : spec_(spec) {}

    void vector(std::string name, int width, const char* axis = "d_model") {
        hooks.push_back({std::move(name), {"batch", "pos", axis}, {run, run, width}});
    }
    void heads(std::string name, int count, int width, const char* axis, const char* head = "head") {
        hooks.push_back({std::move(name), {"batch", "pos", head, axis}, {run, run, count, width}});
    }
    void pairs(std::string name) {
        hooks.push_back({std::move(name), {"batch", "head", "query", "key"}, {run, spec_.heads, run, run}});
    }

    void block(int layer) {
        const std::string block = fmt::format("blocks.{}.", layer);
        const int d = spec_.d_model;
        vector(block + "hook_resid_pre", d);
        if (spec_.kv_heads == spec_.heads) heads(block + "hook_attn_in", spec_.heads, d, "d_model");
        heads(block + "hook_q_input", spec_.heads, d, "d_model");
        heads(block + "hook_k_input", spec_.kv_heads, d, "d_model", "kv_head");
        heads(block + "hook_v_input", spec_.kv_heads, d, "d_model", "kv_head");
        if (spec_.norms_before()) norm(block + "ln1.");
        vector(block + (spec_.norms_before() ? "ln1.hook_out" : "attn.hook_in"), d);
        attention(layer, block + "attn.");
        if (spec_.changes_branches()) vector(block + "attn.hook_out", d);
        if (spec_.norms_branches()) norm(block + "ln1_post.");
        vector(block + "hook_attn_out", d);
        if (spec_.norm_place == NormPlace::after_sum) norm(block + "ln1.");
        if (!spec_.parallel) vector(block + "hook_resid_mid", d);
        vector(block + "hook_mlp_in", d);
        if (spec_.norms_before() && !spec_.shared_norm) norm(block + "ln2.");
        vector(block + "mlp.hook_in", d);
        vector(block + "mlp.hook_pre", spec_.d_ff, "d_mlp");
        if (spec_.gated) vector(block + "mlp.hook_pre_linear", spec_.d_ff, "d_mlp");
        vector(block + "mlp.hook_post", spec_.d_ff, "d_mlp");
        if (spec_.changes_branches()) vector(block + "mlp.hook_out", d);
        if (spec_.norms_branches()) norm(block + "ln2_post.");
        vector(block + "hook_mlp_out", d);
        if (spec_.norm_place == NormPlace::after_sum) norm(block + "ln2.");
        vector(block + "hook_resid_post", d);
    }

    void attention(int layer, const std::string& attn) {
        heads(attn + "hook_q", spec_.heads, spec_.d_head, "d_head");
        heads(attn + "hook_k", spec_.kv_heads, spec_.d_head, "d_head", "kv_head");
        heads(attn + "hook_v", spec_.kv_heads, spec_.d_head, "d_head", "kv_head");
        const auto queries_and_keys = [&](const char* q, const char* k) {
            heads(attn + q, spec_.heads, spec_.d_head, "d_head");
            heads(attn + k, spec_.kv_heads, spec_.d_head, "d_head", "kv_head");
        };
        if (spec_.qk_norm != QkNorm::none) queries_and_keys("hook_q_normed", "hook_k_normed");
        if (spec_.rotary_index(layer) >= 0) queries_and_keys("hook_rot_q", "hook_rot_k");
        pairs(attn + "hook_attn_scores");
        pairs(attn + "hook_pattern");
        heads(attn + "hook_z", spec_.heads, spec_.d_head, "d_head");
        heads(attn + "hook_result", spec_.heads, spec_.d_model, "d_model");
    }

    void norm(const std::string& prefix) {
        vector(prefix + "hook_scale", 1, "one");
        vector(prefix + "hook_normalized", spec_.d_model);
    }

    std::vector<HookInfo> hooks;

private:
    const ModelSpec& spec_;
};

/// Other names of hooks (after `blocks.i.` or at the top), those of 3.x, and what they are called here.
std::vector<std::array<const char*, 2>> newer_names(const ModelSpec& spec) {
    const char* attn_in = spec.norms_before() ? "ln1.hook_out" : "attn.hook_in";
    const char* attn_out = spec.changes_branches() ? "attn.hook_out" : "hook_attn_out";
    const char* mlp_out = spec.changes_branches() ? "mlp.hook_out" : "hook_mlp_out";
    std::vector<std::array<const char*, 2>> names{
        {"embed.hook_out", "hook_embed"},
        {"pos_embed.hook_out", "hook_pos_embed"},
        {"ln_final.hook_out", "unembed.hook_in"},
        {"hook_in", "hook_resid_pre"},
        {"hook_out", "hook_resid_post"},
        {"attn.hook_in", attn_in},
        {"attn.q.hook_in", attn_in},
        {"attn.k.hook_in", attn_in},
        {"attn.v.hook_in", attn_in},
        {"attn.q.hook_out", "attn.hook_q"},
        {"attn.k.hook_out", "attn.hook_k"},
        {"attn.v.hook_out", "attn.hook_v"},
        {"attn.o.hook_in", "attn.hook_z"},
        {"attn.o.hook_out", attn_out},
        {"attn.hook_out", attn_out},
        {"attn.hook_hidden_states", attn_out},
        {"mlp.hook_out", mlp_out},
    };
    if (spec.norms_before()) {
        names.push_back({"ln1.hook_in", "hook_resid_pre"});
        if (!spec.shared_norm) {
            names.push_back({"ln2.hook_in", spec.parallel ? "hook_resid_pre" : "hook_resid_mid"});
            names.push_back({"ln2.hook_out", "mlp.hook_in"});
        }
    }
    if (spec.norms_branches()) {
        names.push_back({"ln1_post.hook_in", attn_out});
        names.push_back({"ln2_post.hook_in", mlp_out});
        if (spec.residual_scale == 1.0F) {
            names.push_back({"ln1_post.hook_out", "hook_attn_out"});
            names.push_back({"ln2_post.hook_out", "hook_mlp_out"});
        }
    }
    if (spec.norm_place == NormPlace::after_sum) {
        names.push_back({"ln1.hook_out", "hook_resid_mid"});
        names.push_back({"ln2.hook_out", "hook_resid_post"});
    }
    return names;
}

/// The other names of a hook, with the same prefix.
std::vector<std::string> aliases_of(const std::string& name,
                                    const std::vector<std::array<const char*, 2>>& newer_names) {
    std::string prefix;
    std::string rest = name;
    if (name.starts_with("blocks.")) {
        const std::size_t dot = name.find('.', 7);
        prefix = name.substr(0, dot + 1);
        rest = name.substr(dot + 1);
    }
    std::vector<std::string> aliases;
    for (const auto& [newer, legacy] : newer_names)
        if (rest == legacy) aliases.push_back(prefix + newer);
    return aliases;
}

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

/// "pattern3", "k6", "scale4ln1", "L3H5" and their like, as get_act_name of TransformerLens spells them.
std::optional<std::string> expand_short_name(std::string_view text) {
    if (text.size() > 3 && text[0] == 'L') {
        const std::size_t head = text.find('H');
        if (head != std::string_view::npos && number(text.substr(1, head - 1)) &&
            number(text.substr(head + 1)))
            return fmt::format("blocks.{}.attn.hook_z", *number(text.substr(1, head - 1)));
    }
    if (text == "embed" || text == "pos_embed") return fmt::format("hook_{}", text);
    if (text == "scale" || text == "normalized") return fmt::format("ln_final.hook_{}", text);
    const std::size_t digits = text.find_first_of("0123456789");
    if (digits == std::string_view::npos || digits == 0) return std::nullopt;
    const std::size_t after = std::min(text.find_first_not_of("0123456789", digits), text.size());
    std::string name(text.substr(0, digits));
    const auto layer = number(text.substr(digits, after - digits));
    const std::string_view suffix = text.substr(after);
    if (!layer || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string::npos)
        return std::nullopt;
    if (name == "attn") name = "pattern";
    if (name == "attn_logits") name = "attn_scores";
    if (name == "mlp_post") name = "post";
    if (name == "mlp_pre") name = "pre";
    constexpr std::array attention{"q",        "k",        "v",      "z",       "rot_q",      "rot_k",
                                   "q_normed", "k_normed", "result", "pattern", "attn_scores"};
    constexpr std::array mlp{"pre", "post", "pre_linear"};
    if (std::find(attention.begin(), attention.end(), name) != attention.end())
        return fmt::format("blocks.{}.attn.hook_{}", *layer, name);
    if (std::find(mlp.begin(), mlp.end(), name) != mlp.end())
        return fmt::format("blocks.{}.mlp.hook_{}", *layer, name);
    if (name == "scale" || name == "normalized")
        return fmt::format("blocks.{}.{}.hook_{}", *layer, suffix.empty() ? "ln1" : suffix, name);
    return suffix.empty() ? std::optional(fmt::format("blocks.{}.hook_{}", *layer, name)) : std::nullopt;
}

bool asked_for(std::string_view pattern, const std::string& name) {
    const std::string leaf = name.substr(name.rfind('.') + 1);
    for (const auto& [hook, word] : on_request)
        if (leaf == hook) return pattern.find(word) != std::string_view::npos;
    return true;
}

/// Edit distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

std::string nearest(const std::vector<HookInfo>& hooks, std::string_view pattern) {
    std::vector<std::pair<std::size_t, std::string>> ranked;
    for (const HookInfo& hook : hooks)
        ranked.emplace_back(distance(pattern, hook.name), hook.name);
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    return fmt::format("{} or {}", ranked[0].second, ranked[1].second);
}

} // namespace

std::vector<HookInfo> hooks_of(const ModelSpec& spec) {
    List list(spec);
    if (spec.embed_norm) list.norm("embed.ln.");
    list.vector("hook_embed", spec.d_model);
    if (spec.positional == Positional::learned) list.vector("hook_pos_embed", spec.d_model);
    for (int layer = 0; layer < spec.layers; ++layer)
        list.block(layer);
    if (spec.final_norm) list.norm("ln_final.");
    list.vector("unembed.hook_in", spec.d_model);
    list.vector("unembed.hook_out", spec.vocab, "d_vocab");
    return std::move(list.hooks);
}

Result<std::vector<HookInfo>> match_hooks(const ModelSpec& spec, std::string_view pattern) {
    const std::string wanted = expand_short_name(pattern).value_or(std::string(pattern));
    const bool glob = wanted.find_first_of("*?[") != std::string::npos;
    const std::vector<HookInfo> hooks = hooks_of(spec);
    const auto others = newer_names(spec);
    std::vector<HookInfo> matched;
    for (const HookInfo& hook : hooks) {
        if (glob && !asked_for(wanted, hook.name)) continue;
        bool hit = ::fnmatch(wanted.c_str(), hook.name.c_str(), 0) == 0;
        for (const std::string& alias : aliases_of(hook.name, others))
            hit = hit || ::fnmatch(wanted.c_str(), alias.c_str(), 0) == 0;
        if (wanted == "ln_final.hook_in")
            hit = hook.name == fmt::format("blocks.{}.hook_resid_post", spec.layers - 1);
        if (hit) matched.push_back(hook);
    }
    if (matched.empty())
        return fail(Code::not_found, fmt::format("This model has no hook \"{}\"; the nearest are {}.",
                                                 pattern, nearest(hooks, wanted)));
    return matched;
}

} // namespace vitrine::model
