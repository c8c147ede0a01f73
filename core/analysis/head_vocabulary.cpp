#include "core/analysis/head_vocabulary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/analysis/axes.h"
#include "core/analysis/changed_prompts.h"

namespace vitrine::analysis {

namespace {

std::string block_of(int layer) { return "blocks." + std::to_string(layer) + "."; }

/// x · columns [first, first + count) of a matrix.
std::vector<double> times(const std::vector<double>& x, sdk::View matrix, int first, int count) {
    std::vector<double> out(static_cast<std::size_t>(count));
    for (std::size_t d = 0; d < x.size(); ++d) {
        const float* row = matrix[static_cast<std::int64_t>(d)].data() + first;
        for (std::size_t c = 0; c < out.size(); ++c)
            out[c] += x[d] * static_cast<double>(row[c]);
    }
    return out;
}

} // namespace

sdk::Manifest HeadVocabulary::manifest() {
    sdk::Manifest manifest("head-vocabulary", "What heads write, as tokens");
    return manifest.prompts_optional()
        .summary(
            "The full OV circuit of a head: a source token's embedding, normed as if it stood alone in the "
            "residual stream, through W_V and W_O, then scored through the final norm's weight and the "
            "unembedding; no biases, positions or scales of later norms. The tokens with the largest scores "
            "are what the head promotes wherever it attends to the source (`write` = suppresses: the "
            "smallest). `copying` and `anticopying`: the share of source tokens that are themselves among "
            "the `within` largest, or smallest, scores. Sources are `token`, else the distinct tokens of the "
            "prompts, else `sample` tokens drawn at random.")
        .citation("Elhage et al. 2021, A Mathematical Framework for Transformer Circuits")
        .tokens("token", "source tokens")
        .positions("layer", "all", "layers: all, one or a list")
        .positions("head", "all", "heads: all, one or a list")
        .integer("top", 5, "tokens listed of each head and source", 1, 1000)
        .integer("within", 10, "how far up a source must stand to count as copied", 1, 100000)
        .integer("sample", 64, "tokens drawn where none are given", 1, 100000)
        .integer("seed", 0, "of the draw", 0)
        .coordinates()
        .result("copying", "matrix",
                "layer × head; share of sources, 0 to 1; heads not asked for have no value")
        .result("anticopying", "matrix", "layer × head; share of sources, 0 to 1")
        .result("writes", "table",
                "layer, head, source_id, write (promotes or suppresses), rank, id, score; of sampled sources "
                "only "
                "where one layer and one head are asked for")
        .result("note", "text", "which sources");
}

sdk::Reply HeadVocabulary::start(const sdk::Start& start) {
    start_ = &start;
    const auto layers = start.positions("layer", start.model.layers);
    const auto heads = start.positions("head", start.model.heads);
    if (!layers || !heads)
        return sdk::Failure{"out-of-range", "There is no such layer or head: the model has " +
                                                std::to_string(start.model.layers) + " layers of " +
                                                std::to_string(start.model.heads) +
                                                " heads, counted from 0."};
    layers_ = *layers;
    heads_ = *heads;
    if (layers_.empty() || heads_.empty())
        return sdk::Failure{"unsupported", "This model has no attention heads, so there is nothing to show."};
    top_ = start.integer("top");
    within_ = start.integer("within");
    if (auto failure = check_tokens(start.model, start.tokens("token"))) return *failure;
    choose_sources();
    copying_ = layer_by_head("copying", start.model, std::nan(""));
    anticopying_ = layer_by_head("anticopying", start.model, std::nan(""));
    sdk::Run run; // embeddings do not depend on what stands around them: one row holds many
    const auto longest = static_cast<std::size_t>(std::max(1, start.model.context));
    for (std::size_t first = 0; first < sources_.size(); first += longest) {
        const auto begin = sources_.begin() + static_cast<std::ptrdiff_t>(first);
        const auto count = std::min(longest, sources_.size() - first);
        sdk::Row row{{begin, begin + static_cast<std::ptrdiff_t>(count)}, {}, {}};
        row.special.assign(count, false);
        run.rows.push_back(std::move(row));
    }
    run.captures = {"hook_embed"};
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.weights = Vocabulary::weights();
    return need;
}

void HeadVocabulary::choose_sources() {
    for (const std::int32_t token : start_->tokens("token"))
        sources_.push_back(token);
    if (sources_.empty())
        for (const sdk::Row& row : start_->rows)
            for (const std::int32_t id : row.ids)
                if (std::find(sources_.begin(), sources_.end(), id) == sources_.end()) sources_.push_back(id);
    listed_ = !sources_.empty();
    if (listed_) return;
    std::vector<std::int32_t> all = plain_ids(start_->model);
    Draws draws(static_cast<std::uint64_t>(start_->integer("seed")));
    const auto wanted = std::min(all.size(), static_cast<std::size_t>(start_->integer("sample")));
    for (std::size_t i = 0; i < wanted; ++i)
        std::swap(all[i], all[i + static_cast<std::size_t>(draws.below(static_cast<int>(all.size() - i)))]);
    all.resize(wanted);
    sources_ = std::move(all);
}

sdk::Need HeadVocabulary::layer_need() const {
    sdk::Need need;
    for (const char* name : {"ln1.w", "ln1.b", "ln1_post.w", "attn.W_V", "attn.W_O"})
        need.weights.push_back(block_of(layers_[at_]) + name);
    need.transient = true;
    need.progress = static_cast<double>(at_) / static_cast<double>(layers_.size());
    return need;
}

sdk::Reply HeadVocabulary::step(const sdk::Answer& answer) {
    if (!vocabulary_) {
        vocabulary_.emplace(start_->model, answer);
        for (int row = 0; embeds_.size() < sources_.size(); ++row) {
            const sdk::View embed = answer.capture(0, row, "hook_embed");
            for (std::int64_t pos = 0; pos < embed.size(0); ++pos)
                embeds_.emplace_back(embed[pos].begin(), embed[pos].end());
        }
        return layer_need();
    }
    if (!read_layer(answer)) return sdk::Failure{"cancelled", "The job was cancelled."};
    if (++at_ < layers_.size()) return layer_need();
    const std::string which = !start_->tokens("token").empty() ? "the tokens given"
                              : listed_
                                  ? "the distinct tokens of the prompts"
                                  : "tokens drawn at random, seed " + std::to_string(start_->integer("seed"));
    return sdk::Done{
        {copying_, anticopying_, sdk::ResultData::table("writes", std::move(writes_)),
         sdk::ResultData::text("note", std::to_string(sources_.size()) + " sources: " + which + ".")}};
}

/// Each source's embedding as attention of the layer reads it.
std::vector<std::vector<double>> HeadVocabulary::read_by_heads(const sdk::Answer& answer) const {
    const sdk::ModelFacts& model = start_->model;
    std::vector<std::vector<double>> read = embeds_;
    if (model.norm_place != "before" && model.norm_place != "sandwich") return read;
    const std::string norm = block_of(layers_[at_]) + "ln1.";
    for (auto& x : read) {
        const double n = static_cast<double>(x.size());
        const double mean = model.norm == "layer" ? std::accumulate(x.begin(), x.end(), 0.0) / n : 0.0;
        double squares = 0;
        for (double& entry : x) {
            entry -= mean;
            squares += entry * entry;
        }
        const double scale = std::sqrt(squares / n + model.norm_eps);
        for (std::size_t d = 0; d < x.size(); ++d) {
            x[d] /= scale;
            if (answer.has_weight(norm + "w"))
                x[d] *= static_cast<double>(answer.weight(norm + "w").data()[d]);
            if (answer.has_weight(norm + "b"))
                x[d] += static_cast<double>(answer.weight(norm + "b").data()[d]);
        }
    }
    return read;
}

bool HeadVocabulary::read_layer(const sdk::Answer& answer) {
    const sdk::ModelFacts& model = start_->model;
    const std::string block = block_of(layers_[at_]);
    const sdk::View values = answer.weight(block + "attn.W_V"), output = answer.weight(block + "attn.W_O");
    const auto read = read_by_heads(answer);
    for (std::size_t h = 0; h < heads_.size(); ++h) {
        const double share =
            (static_cast<double>(at_) + static_cast<double>(h) / static_cast<double>(heads_.size())) /
            static_cast<double>(layers_.size());
        if (!report(share, "reading heads")) return false;
        const int head = heads_[h], kv_head = head / (model.heads / model.kv_heads);
        std::vector<std::vector<double>> written;
        for (const auto& x : read) {
            const std::vector<double> z = times(x, values, kv_head * model.d_head, model.d_head);
            std::vector<double> out(static_cast<std::size_t>(output.size(1)));
            for (int i = 0; i < model.d_head; ++i) {
                const float* row = output[std::int64_t{head} * model.d_head + i].data();
                for (std::size_t d = 0; d < out.size(); ++d)
                    out[d] += z[static_cast<std::size_t>(i)] * static_cast<double>(row[d]);
            }
            if (answer.has_weight(block + "ln1_post.w"))
                for (std::size_t d = 0; d < out.size(); ++d)
                    out[d] *= static_cast<double>(answer.weight(block + "ln1_post.w").data()[d]);
            written.push_back(std::move(out));
        }
        const std::vector<float> scores = vocabulary_->scores(written);
        int copied = 0, suppressed = 0;
        for (std::size_t source = 0; source < sources_.size(); ++source) {
            const float* own = scores.data() + source * static_cast<std::size_t>(vocabulary_->size());
            const float mine = own[sources_[source]];
            const auto above =
                std::count_if(own, own + vocabulary_->size(), [&](float x) { return x > mine; });
            const auto below =
                std::count_if(own, own + vocabulary_->size(), [&](float x) { return x < mine; });
            copied += above < within_ ? 1 : 0;
            suppressed += below < within_ ? 1 : 0;
            if (listed_ || (layers_.size() == 1 && heads_.size() == 1)) tell(head, source, own);
        }
        copying_(layers_[at_], head) = static_cast<double>(copied) / static_cast<double>(sources_.size());
        anticopying_(layers_[at_], head) =
            static_cast<double>(suppressed) / static_cast<double>(sources_.size());
    }
    return true;
}

void HeadVocabulary::tell(int head, std::size_t source, const float* scores) {
    for (const double sign : {1.0, -1.0}) {
        int rank = 0;
        for (const Scored& token : top_of(scores, vocabulary_->size(), top_, sign))
            writes_.push_back({{"layer", layers_[at_]},
                               {"head", head},
                               {"source_id", sources_[source]},
                               {"write", sign > 0 ? "promotes" : "suppresses"},
                               {"rank", rank++},
                               {"id", token.id},
                               {"score", sign * token.score}});
    }
}

} // namespace vitrine::analysis
