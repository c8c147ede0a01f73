#include "core/run/builder.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "core/run/attention_builder.h"
#include "core/run/plan_writer.h"

namespace vitrine::run {

namespace {

class Builder {
public:
    Builder(const model::Model& model, const BuildRequest& request)
        : plan_(model, request), spec_(model.spec), request_(request), attention_(plan_) {}

    Result<BuiltPlan> build() {
        ValueId residual = embed();
        const int layers = layers_needed();
        for (int layer = 0; layer < layers; ++layer) {
            VITRINE_ASSIGN(residual, block(layer, residual));
        }
        if (layers < spec_.layers) return plan_.take();
        const ValueId hidden = spec_.final_norm ? plan_.norm("ln_final.", residual, 1) : residual;
        unembed(plan_.hook("unembed.hook_in", hidden));
        return plan_.take();
    }

private:
    /// Where nothing but captures is wanted, the model ends behind the last layer that has one.
    int layers_needed() const {
        if (request_.cached || !request_.stat_rows.empty() || !request_.logit_rows.empty())
            return spec_.layers;
        int layers = 0;
        for (const std::string& hook : request_.captures) {
            constexpr std::string_view prefix = "blocks.";
            if (hook.starts_with("hook_")) continue; // of the embedding
            if (!hook.starts_with(prefix)) return spec_.layers;
            int layer = spec_.layers - 1;
            std::from_chars(hook.data() + prefix.size(), hook.data() + hook.size(), layer);
            layers = std::max(layers, layer + 1);
        }
        return layers;
    }

    ValueId embed() {
        ValueId residual = plan_.value(1, spec_.width_of_embedding());
        plan_.emit(Embed{plan_.weight("W_E"), spec_.embedding_scale, residual});
        if (spec_.embed_width > 0)
            residual = plan_.linear("embed.W_in", "embed.b_in", residual, 1, spec_.d_model);
        if (spec_.embed_norm) residual = plan_.norm("embed.ln.", residual, 1);
        plan_.hook("hook_embed", residual);
        if (spec_.positional != model::Positional::learned) return residual;
        const ValueId position = plan_.value(1, spec_.d_model);
        plan_.emit(PositionEmbed{plan_.weight("W_pos"), spec_.position_offset, position});
        plan_.hook("hook_pos_embed", position);
        return plan_.add(residual, position);
    }

    /// What attention reads.
    ValueId attention_input(int layer, ValueId residual) {
        const std::string block = fmt::format("blocks.{}.", layer);
        if (spec_.norms_before())
            return plan_.hook(block + "ln1.hook_out", plan_.norm(block + "ln1.", residual, 1));
        return plan_.hook_of_own(block + "attn.hook_in", residual);
    }

    /// What the MLP reads; `before` and `normed` are the block's input and what attention reads of it.
    ValueId mlp_input(int layer, ValueId residual, ValueId before, ValueId normed) {
        const std::string block = fmt::format("blocks.{}.", layer);
        const std::string own = block + "hook_mlp_in";
        ValueId in = residual;
        if (plan_.wanted(own))
            in = plan_.hook(own, plan_.repeat(residual, 1), plan_.replaced(own) ? before : absent);
        if (!spec_.norms_before()) return plan_.hook_of_own(block + "mlp.hook_in", in);
        if (!spec_.shared_norm) return plan_.hook(block + "mlp.hook_in", plan_.norm(block + "ln2.", in, 1));
        if (plan_.edited(own)) normed = plan_.norm(block + "ln1.", in, 1, false);
        return plan_.hook_of_own(block + "mlp.hook_in", normed);
    }

    ValueId mlp(int layer, ValueId in) {
        const std::string mlp = fmt::format("blocks.{}.mlp.", layer);
        const char* gate = spec_.gated ? "gate" : "in";
        const ValueId pre = plan_.hook(mlp + "hook_pre",
                                       plan_.linear(mlp + "W_" + gate, mlp + "b_" + gate, in, 1, spec_.d_ff));
        ValueId factor = absent;
        if (spec_.gated)
            factor = plan_.hook(mlp + "hook_pre_linear",
                                plan_.linear(mlp + "W_in", mlp + "b_in", in, 1, spec_.d_ff));
        ValueId plain = absent;
        if (plan_.replaced(mlp + "hook_post")) {
            plain = plan_.value(1, spec_.d_ff);
            plan_.emit(Activate{model::Activation::identity, pre, factor, plain});
        }
        const ValueId post = plan_.value(1, spec_.d_ff);
        plan_.emit(Activate{spec_.activation, pre, factor, post});
        plan_.hook(mlp + "hook_post", post, plain);
        return plan_.linear(mlp + "W_out", mlp + "b_out", post, 1, spec_.d_model);
    }

    /// From what a branch ("attn", "mlp") writes to what is added to the residual stream.
    ValueId branch(int layer, const std::string& name, const char* post_norm, ValueId out) {
        const std::string block = fmt::format("blocks.{}.", layer);
        if (spec_.changes_branches()) plan_.hook(block + name + ".hook_out", out);
        if (spec_.norms_branches()) out = plan_.norm(block + post_norm + ".", out, 1);
        if (spec_.residual_scale != 1.0F)
            out = plan_.pointwise(PointwiseKind::scale, spec_.residual_scale, out);
        return plan_.hook(block + "hook_" + name + "_out", out);
    }

    /// The residual stream with a branch added; `norm` is the one after the sum, where there is one.
    ValueId sum(int layer, ValueId residual, ValueId out, const char* norm) {
        const ValueId total = plan_.add(residual, out);
        if (spec_.norm_place != model::NormPlace::after_sum) return total;
        return plan_.norm(fmt::format("blocks.{}.{}.", layer, norm), total, 1);
    }

    Result<ValueId> block(int layer, ValueId residual) {
        const std::string block = fmt::format("blocks.{}.", layer);
        plan_.hook(block + "hook_resid_pre", residual);
        const ValueId normed = attention_input(layer, residual);
        VITRINE_ASSIGN(ValueId attn_out, attention_.write(layer, residual, normed));
        attn_out = branch(layer, "attn", "ln1_post", attn_out);
        if (spec_.parallel) {
            if (plan_.replaced(block + "hook_mlp_in"))
                return fail(
                    Code::unsupported,
                    fmt::format("parallel changes nothing at {}hook_mlp_in: attention and MLP of this "
                                "model read the same stream already; leave the edit out.",
                                block));
            const ValueId mlp_out =
                branch(layer, "mlp", "ln2_post", mlp(layer, mlp_input(layer, residual, residual, normed)));
            return plan_.hook(block + "hook_resid_post", plan_.add(residual, plan_.add(attn_out, mlp_out)));
        }
        const ValueId mid = plan_.hook(block + "hook_resid_mid", sum(layer, residual, attn_out, "ln1"));
        const ValueId mlp_out =
            branch(layer, "mlp", "ln2_post", mlp(layer, mlp_input(layer, mid, residual, normed)));
        return plan_.hook(block + "hook_resid_post", sum(layer, mid, mlp_out, "ln2"));
    }

    // ---- logits ----

    /// Logits of values after the unembedding's product: scaled, then capped.
    ValueId finished(ValueId logits) {
        if (spec_.logit_scale != 1.0F)
            logits = plan_.pointwise(PointwiseKind::scale, spec_.logit_scale, logits);
        if (spec_.logit_cap != 0.0F) logits = plan_.pointwise(PointwiseKind::cap, spec_.logit_cap, logits);
        return logits;
    }

    void unembed(ValueId hidden) {
        if (spec_.embed_width > 0)
            hidden = plan_.linear("unembed.W_in", "unembed.b_in", hidden, 1, spec_.embed_width);
        ValueId logits = absent; // of every token
        if (plan_.wanted("unembed.hook_out"))
            logits = plan_.hook("unembed.hook_out",
                                finished(plan_.linear("unembed.W_U", "unembed.b_U", hidden, 1, spec_.vocab)));
        ValueId chosen = absent; // of the tokens whose logits are returned
        if (!request_.logit_rows.empty()) {
            chosen = select(request_.logit_rows, hidden, logits);
            plan_.return_logits(chosen);
        }
        if (request_.stat_rows.empty()) return;
        LogitStats stats{plan_.weight("unembed.W_U"),
                         plan_.weight("unembed.b_U"),
                         hidden,
                         absent,
                         request_.stat_rows,
                         request_.targets,
                         request_.top,
                         request_.watch,
                         spec_.logit_scale,
                         spec_.logit_cap};
        if (request_.stat_rows == request_.logit_rows)
            stats.logits = chosen;
        else if (logits != absent)
            stats.logits = select(request_.stat_rows, hidden, logits);
        if (stats.logits != absent) stats.hidden = absent;
        plan_.emit(std::move(stats));
    }

    /// Logits of some tokens: rows of `logits` where all were computed, else a product of those tokens alone.
    ValueId select(const std::vector<int>& rows, ValueId hidden, ValueId logits) {
        const auto count = static_cast<std::int64_t>(rows.size());
        if (logits != absent) {
            const ValueId out = plan_.value(count, 1, spec_.vocab);
            plan_.emit(Select{rows, logits, out});
            return out;
        }
        const ValueId chosen = plan_.value(count, 1, spec_.width_of_embedding());
        plan_.emit(Select{rows, hidden, chosen});
        const ValueId out = plan_.value(count, 1, spec_.vocab);
        plan_.emit(Linear{plan_.weight("unembed.W_U"), plan_.weight("unembed.b_U"), chosen, out});
        return finished(out);
    }

    PlanWriter plan_;
    const model::ModelSpec& spec_;
    const BuildRequest& request_;
    AttentionBuilder attention_;
};

} // namespace

Result<BuiltPlan> build_plan(const model::Model& model, const BuildRequest& request) {
    return Builder(model, request).build();
}

} // namespace vitrine::run
