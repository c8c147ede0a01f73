#include "core/run/builder.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "core/run/rotary.h"

namespace vitrine::run {

namespace {

/// Rotary tables are rounded up to this many positions, so that plans of like size share a shape.
constexpr int rotary_step = 256;

class Builder {
public:
    Builder(const model::Model& model, const BuildRequest& request)
        : model_(model), spec_(model.spec), request_(request) {
        built_.plan.batch = request.batch;
        built_.plan.constants = request.constants;
        for (const model::HookInfo& hook : model::hooks_of(spec_))
            hooks_.emplace(hook.name, hook);
    }

    Result<BuiltPlan> build() {
        rotary();
        ValueId residual = embed();
        for (int layer = 0; layer < spec_.layers; ++layer) {
            VITRINE_ASSIGN(residual, block(layer, residual));
        }
        const ValueId hidden = hook("unembed.hook_in", norm("ln_final.", residual, 1));
        unembed(hidden);
        built_.plan.capture_slots = static_cast<int>(built_.captures.size());
        return std::move(built_);
    }

private:
    // ---- values and ops ----

    ValueId value(int heads, int width) { return value(request_.batch.size(), heads, width); }
    ValueId value(std::int64_t count, int heads, int width) {
        return add({Layout::tokens, count, heads, width});
    }
    ValueId pairs() { return add({Layout::pairs, 0, spec_.heads, 0}); }
    ValueId add(Value value) {
        built_.plan.values.push_back(value);
        return static_cast<ValueId>(built_.plan.values.size()) - 1;
    }
    void emit(Op op) { built_.plan.ops.push_back(std::move(op)); }
    WeightId weight(const std::string& name) const { return model_.find(name); }

    // ---- hooks ----

    bool edited(const std::string& name) const { return request_.edits.contains(name); }
    bool captured(const std::string& name) const { return request_.captures.contains(name); }
    bool wanted(const std::string& name) const { return edited(name) || captured(name); }

    void edit(const std::string& name, ValueId id) {
        if (const auto found = request_.edits.find(name); found != request_.edits.end())
            emit(Edit{id, found->second});
    }

    void capture(const std::string& name, ValueId id) {
        if (!captured(name)) return;
        const model::HookInfo& info = hooks_.at(name);
        emit(Capture{id, static_cast<int>(built_.captures.size())});
        built_.captures.push_back({name,
                                   {info.axes.begin() + 1, info.axes.end()},
                                   built_.plan.values[static_cast<std::size_t>(id)]});
    }

    /// A hook point: what is edited is captured as edited.
    ValueId hook(const std::string& name, ValueId id) {
        edit(name, id);
        capture(name, id);
        return id;
    }

    // ---- parts of the forward pass ----

    void rotary() {
        if (spec_.positional != model::Positional::rotary) return;
        int positions = 1;
        for (int row = 0; row < request_.batch.rows(); ++row)
            positions = std::max(positions, request_.batch.keys(row));
        positions = (positions + rotary_step - 1) / rotary_step * rotary_step;
        auto [cosines, sines] = rotary_tables(spec_.rotaries[0], positions);
        cos_ = static_cast<ConstantId>(built_.plan.constants.size());
        built_.plan.constants.push_back(std::move(cosines));
        built_.plan.constants.push_back(std::move(sines));
    }

    ValueId embed() {
        ValueId residual = value(1, spec_.d_model);
        emit(Embed{weight("W_E"), spec_.embedding_scale, residual});
        hook("hook_embed", residual);
        if (spec_.positional != model::Positional::learned) return residual;
        const ValueId position = value(1, spec_.d_model);
        emit(PositionEmbed{weight("W_pos"), 0, position});
        hook("hook_pos_embed", position);
        return sum(residual, position);
    }

    ValueId sum(ValueId a, ValueId b) {
        const ValueId out = value(1, spec_.d_model);
        emit(Add{a, b, out});
        return out;
    }

    /// Normalises over d_model, `heads` inputs a token. Split only where its inner values are edited.
    ValueId norm(const std::string& prefix, ValueId in, int heads, bool hooked = true) {
        const std::string scale_name = prefix + "hook_scale";
        const std::string normalized_name = prefix + "hook_normalized";
        const WeightId w = weight(prefix + "w");
        const WeightId b = weight(prefix + "b");
        const ValueId out = value(heads, spec_.d_model);
        if (hooked && (edited(scale_name) || edited(normalized_name))) {
            const ValueId scale = value(heads, 1);
            const ValueId normalized = value(heads, spec_.d_model);
            emit(NormScale{spec_.norm, in, scale});
            hook(scale_name, scale);
            emit(NormApply{spec_.norm, in, scale, normalized});
            hook(normalized_name, normalized);
            emit(NormAffine{w, b, normalized, out});
            return out;
        }
        Norm op{spec_.norm, w, b, in, out};
        if (hooked && captured(scale_name)) op.scale = value(heads, 1);
        if (hooked && captured(normalized_name)) op.normalized = value(heads, spec_.d_model);
        emit(op);
        if (op.scale != absent) capture(scale_name, op.scale);
        if (op.normalized != absent) capture(normalized_name, op.normalized);
        return out;
    }

    ValueId linear(const std::string& w, const std::string& b, ValueId in, int heads, int width) {
        const ValueId out = value(heads, width);
        emit(Linear{weight(w), weight(b), in, out});
        return out;
    }

    /// One of q, k, v before rotation. `input` is its per-head input hook.
    ValueId project(int layer, const char* letter, const char* input, ValueId residual, ValueId normed,
                    int heads) {
        const std::string block = fmt::format("blocks.{}.", layer);
        const std::string w = fmt::format("{}attn.W_{}", block, letter);
        const std::string b = fmt::format("{}attn.b_{}", block, letter);
        const std::string attn_in = block + "hook_attn_in";
        const std::string own = block + input;
        const bool first = letter[0] == 'Q';
        const bool split = edited(own) || edited(attn_in);
        ValueId per_head = absent;
        if (split || captured(own) || (first && captured(attn_in))) {
            per_head = value(heads, spec_.d_model);
            emit(Repeat{residual, per_head});
            edit(attn_in, per_head);
            if (first) capture(attn_in, per_head);
            hook(own, per_head);
        }
        if (!split) return linear(w, b, normed, heads, spec_.d_head);
        const ValueId out = value(heads, spec_.d_head);
        emit(HeadLinear{weight(w), weight(b), norm(block + "ln1.", per_head, heads, false), out});
        return out;
    }

    ValueId rotated(const std::string& name, ValueId in, int heads) {
        if (spec_.positional != model::Positional::rotary) return in;
        const ValueId out = value(heads, spec_.d_head);
        emit(Rotate{cos_, cos_ + 1, spec_.rotaries[0].dims, spec_.rotaries[0].interleaved, in, out});
        return hook(name, out);
    }

    Status check_inputs(int layer) const {
        const std::string block = fmt::format("blocks.{}.", layer);
        bool split = false;
        for (const char* name : {"hook_attn_in", "hook_q_input", "hook_k_input", "hook_v_input"})
            split = split || edited(block + name);
        for (const char* name : {"ln1.hook_scale", "ln1.hook_normalized", "ln1.hook_out"})
            if (split && edited(block + name))
                return fail(
                    Code::unsupported,
                    fmt::format("{0}{1} and a per-head input of block {2} cannot be edited in one run: with "
                                "split inputs each head has a norm of its own; edit one of them.",
                                block, name, layer));
        return {};
    }

    Result<ValueId> attention(int layer, ValueId residual) {
        VITRINE_TRY(check_inputs(layer));
        const std::string block = fmt::format("blocks.{}.", layer);
        const std::string attn = block + "attn.";
        const ValueId normed = hook(block + "ln1.hook_out", norm(block + "ln1.", residual, 1));
        ValueId q = hook(attn + "hook_q", project(layer, "Q", "hook_q_input", residual, normed, spec_.heads));
        ValueId k =
            hook(attn + "hook_k", project(layer, "K", "hook_k_input", residual, normed, spec_.kv_heads));
        const ValueId v =
            hook(attn + "hook_v", project(layer, "V", "hook_v_input", residual, normed, spec_.kv_heads));
        q = rotated(attn + "hook_rot_q", q, spec_.heads);
        k = rotated(attn + "hook_rot_k", k, spec_.kv_heads);
        if (request_.cached) emit(CacheAppend{layer, k, v});
        return hook(attn + "hook_z", mix(layer, q, k, v));
    }

    ValueId mix(int layer, ValueId q, ValueId k, ValueId v) {
        const std::string scores_name = fmt::format("blocks.{}.attn.hook_attn_scores", layer);
        const std::string pattern_name = fmt::format("blocks.{}.attn.hook_pattern", layer);
        const AttentionSpec attention{
            spec_.heads,           spec_.kv_heads,         spec_.d_head,
            spec_.attention_scale, spec_.window_of(layer), request_.cached ? layer : absent};
        const ValueId z = value(spec_.heads, spec_.d_head);
        if (edited(scores_name) || edited(pattern_name)) {
            const ValueId scores = pairs();
            const ValueId pattern = pairs();
            emit(AttentionScores{attention, q, k, scores});
            hook(scores_name, scores);
            emit(AttentionPattern{scores, pattern});
            hook(pattern_name, pattern);
            emit(AttentionMix{attention, pattern, v, z});
            return z;
        }
        Attention op{attention, q, k, v, z};
        if (captured(scores_name)) op.scores = pairs();
        if (captured(pattern_name)) op.pattern = pairs();
        emit(op);
        if (op.scores != absent) capture(scores_name, op.scores);
        if (op.pattern != absent) capture(pattern_name, op.pattern);
        return z;
    }

    ValueId attention_out(int layer, ValueId z) {
        const std::string attn = fmt::format("blocks.{}.attn.", layer);
        const std::string result_name = attn + "hook_result";
        if (wanted(result_name)) {
            const ValueId result = value(spec_.heads, spec_.d_model);
            emit(HeadResult{weight(attn + "W_O"), z, result});
            hook(result_name, result);
            if (edited(result_name)) {
                const ValueId out = value(1, spec_.d_model);
                emit(SumHeads{weight(attn + "b_O"), result, out});
                return out;
            }
        }
        return linear(attn + "W_O", attn + "b_O", z, 1, spec_.d_model);
    }

    ValueId mlp(int layer, ValueId residual) {
        const std::string block = fmt::format("blocks.{}.", layer);
        const std::string mlp = block + "mlp.";
        ValueId in = residual;
        if (wanted(block + "hook_mlp_in")) {
            const ValueId copy = value(1, spec_.d_model);
            emit(Repeat{residual, copy});
            in = hook(block + "hook_mlp_in", copy);
        }
        in = hook(mlp + "hook_in", norm(block + "ln2.", in, 1));
        const char* gate = spec_.gated ? "gate" : "in";
        const ValueId pre =
            hook(mlp + "hook_pre", linear(mlp + "W_" + gate, mlp + "b_" + gate, in, 1, spec_.d_ff));
        ValueId factor = absent;
        if (spec_.gated)
            factor = hook(mlp + "hook_pre_linear", linear(mlp + "W_in", mlp + "b_in", in, 1, spec_.d_ff));
        const ValueId post = value(1, spec_.d_ff);
        emit(Activate{spec_.activation, pre, factor, post});
        hook(mlp + "hook_post", post);
        return hook(block + "hook_mlp_out", linear(mlp + "W_out", mlp + "b_out", post, 1, spec_.d_model));
    }

    Result<ValueId> block(int layer, ValueId residual) {
        const std::string block = fmt::format("blocks.{}.", layer);
        hook(block + "hook_resid_pre", residual);
        VITRINE_ASSIGN(const ValueId z, attention(layer, residual));
        const ValueId attn_out = hook(block + "hook_attn_out", attention_out(layer, z));
        const ValueId mid = hook(block + "hook_resid_mid", sum(residual, attn_out));
        return hook(block + "hook_resid_post", sum(mid, mlp(layer, mid)));
    }

    void unembed(ValueId hidden) {
        const WeightId w = weight("unembed.W_U");
        const WeightId b = weight("unembed.b_U");
        ValueId logits = absent; // of every token
        if (wanted("unembed.hook_out")) {
            logits = linear("unembed.W_U", "unembed.b_U", hidden, 1, spec_.vocab);
            hook("unembed.hook_out", logits);
        }
        ValueId chosen = absent; // of the tokens whose logits are returned
        if (!request_.logit_rows.empty()) {
            chosen = select(request_.logit_rows, hidden, logits, w, b);
            emit(Capture{chosen, static_cast<int>(built_.captures.size())});
            built_.captures.push_back(
                {"", {"pos", "d_vocab"}, built_.plan.values[static_cast<std::size_t>(chosen)]});
        }
        if (request_.stat_rows.empty()) return;
        LogitStats stats{w, b, hidden, absent, request_.stat_rows, request_.targets, request_.top};
        if (request_.stat_rows == request_.logit_rows)
            stats.logits = chosen;
        else if (logits != absent)
            stats.logits = select(request_.stat_rows, hidden, logits, w, b);
        if (stats.logits != absent) stats.hidden = absent;
        emit(std::move(stats));
    }

    /// Logits of some tokens: rows of `logits` where all were computed, else a product of those tokens alone.
    ValueId select(const std::vector<int>& rows, ValueId hidden, ValueId logits, WeightId w, WeightId b) {
        const auto count = static_cast<std::int64_t>(rows.size());
        const ValueId out = value(count, 1, spec_.vocab);
        if (logits != absent) {
            emit(Select{rows, logits, out});
            return out;
        }
        const ValueId chosen = value(count, 1, spec_.d_model);
        emit(Select{rows, hidden, chosen});
        emit(Linear{w, b, chosen, out});
        return out;
    }

    const model::Model& model_;
    const model::ModelSpec& spec_;
    const BuildRequest& request_;
    std::unordered_map<std::string, model::HookInfo> hooks_;
    BuiltPlan built_;
    ConstantId cos_ = absent;
};

} // namespace

Result<BuiltPlan> build_plan(const model::Model& model, const BuildRequest& request) {
    return Builder(model, request).build();
}

} // namespace vitrine::run
