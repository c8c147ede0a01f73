#include "core/analysis/streaming_heads.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <random>

#include "core/analysis/head_metrics.h"
#include "core/analysis/sink_rows.h"

namespace vitrine::analysis {

std::vector<double> read_alphas(const std::string& text, int lines, int columns) {
    std::vector<double> numbers;
    std::vector<int> found;
    int in_line = 0;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at <= end) {
        if (at == end || *at == '\n') {
            if (in_line > 0) found.push_back(in_line);
            in_line = 0;
            ++at;
            continue;
        }
        if (*at == ' ' || *at == '\t' || *at == ',' || *at == '\r') {
            ++at;
            continue;
        }
        double number = 0;
        const auto [next, error] = std::from_chars(at, end, number);
        if (error != std::errc() || !std::isfinite(number)) return {};
        numbers.push_back(number);
        ++in_line;
        at = next;
    }
    const bool fits = static_cast<int>(found.size()) == lines &&
                      std::all_of(found.begin(), found.end(), [&](int count) { return count == columns; });
    return fits ? numbers : std::vector<double>();
}

sdk::Manifest StreamingHeads::manifest() {
    return sdk::Manifest("streaming-heads", "Retrieval and streaming heads")
        .summary("Which key heads need all tokens, and how small the cache gets if the others keep sinks and "
                 "a window "
                 "only. The gate of a key head is measured (own definition): with its query heads cut to the "
                 "first "
                 "`sinks` and the last `window` keys (the rest of each row scaled to sum to 1), how far the "
                 "output of "
                 "the layer's attention moves: mean ‖change‖ over mean ‖output‖, at the queries that have "
                 "something to "
                 "retrieve. Without prompts the text is synthetic: random ids, of which the first `needle` "
                 "come again "
                 "`distance` tokens later; with prompts, all queries after the window count. The `streaming` "
                 "share of "
                 "key heads with the smallest gates streams, the others are retrieval heads. Or give "
                 "alphas=@FILE: "
                 "DuoAttention's full_attention_heads.tsv as it is, a line a layer, a number a key head.")
        .citation("own gate; after Xiao et al. 2024, DuoAttention")
        .prompts_optional()
        .integer("window", 64, "last tokens that a streaming head keeps", 1)
        .integer("sinks", 4, "first tokens that a streaming head keeps", 0)
        .number("streaming", 0.5, "share of key heads that stream", 0, 1)
        .text("alphas", "", "gates in place of measured ones: a table as text, or @FILE")
        .integer("needle", 24, "random ids that come again", 2, 10000)
        .integer("distance", 160, "random ids between the two", 1, 100000)
        .integer("samples", 4, "rows of random ids", 1, 1000)
        .integer("seed", 0, "of the random ids and of the control", 0)
        .result("gate", "matrix",
                "layer × kv_head; change of the layer's attention output, relative; or the alphas")
        .result("retrieval", "matrix", "layer × kv_head; 1 keeps all tokens, 0 streams")
        .result("trials", "table",
                "cache, key heads that keep all tokens, loss and share of right next tokens at the measured "
                "positions: all heads dense, chosen by the gate, as many chosen at random (control), all "
                "streaming")
        .result("saving", "table",
                "tokens, bytes of keys and values in float32: dense, split; share that is saved")
        .result("note", "text", "what was measured on");
}

std::optional<sdk::Failure> StreamingHeads::make_rows(const sdk::Start& start) {
    const sdk::ModelFacts& facts = start.model;
    const int needle = start.integer("needle"), distance = start.integer("distance");
    const int bos = facts.bos ? 1 : 0;
    if (!start.rows.empty()) {
        first_ = window_ + sinks_;
        for (std::size_t row = 0; row < start.rows.size(); ++row)
            if (start.rows[row].size() < first_ + 2)
                return sdk::Failure{"out-of-range",
                                    "Row " + std::to_string(row) + " has " +
                                        std::to_string(start.rows[row].size()) +
                                        " tokens, and nothing lies outside sinks and window: give a "
                                        "longer text, or smaller ones."};
        note_ = describe_rows(start.rows) + " Measured at the queries after sinks and window.";
        return std::nullopt;
    }
    if (distance < window_)
        return sdk::Failure{"out-of-range", "With a distance of " + std::to_string(distance) +
                                                " the needle lies within the window of " +
                                                std::to_string(window_) + ": choose a larger distance."};
    if (bos + 2 * needle + distance > facts.context)
        return sdk::Failure{"out-of-range",
                            "Two needles and the distance between them do not fit into the context of " +
                                std::to_string(facts.context) + " tokens: choose smaller ones."};
    auto rows = repeated_random_rows(facts, start.integer("samples"), needle + distance, seed_);
    if (rows.empty())
        return sdk::Failure{"out-of-range",
                            "The vocabulary has too few ordinary tokens: choose a smaller distance."};
    for (sdk::Row& row : rows)
        row = cut(std::move(row), bos + needle + distance + needle);
    // The first token of the second needle cannot be known; those after it can.
    first_ = bos + needle + distance;
    synthetic_ = true;
    note_ = std::to_string(rows.size()) + " rows of random ids, of which the first " +
            std::to_string(needle) + " come again after " + std::to_string(distance) + " others, seed " +
            std::to_string(seed_) + ". Measured at the repeated ones.";
    use_rows(std::move(rows));
    return std::nullopt;
}

std::optional<sdk::Failure> StreamingHeads::begin(const sdk::Start& start) {
    window_ = start.integer("window");
    sinks_ = start.integer("sinks");
    streaming_share_ = start.number("streaming");
    seed_ = static_cast<std::uint64_t>(start.integer("seed"));
    if (auto failure = make_rows(start)) return failure;
    const sdk::ModelFacts& facts = start.model;
    gate_ = sdk::ResultData::array("gate", "matrix", {{"layer", facts.layers}, {"kv_head", facts.kv_heads}});
    if (const std::string text = start.text("alphas"); !text.empty()) {
        gate_.data = read_alphas(text, facts.layers, facts.kv_heads);
        if (gate_.data.empty())
            return sdk::Failure{"malformed", "The alphas are no table of " + std::to_string(facts.layers) +
                                                 " lines (layers) of " + std::to_string(facts.kv_heads) +
                                                 " numbers (key heads)."};
        imported_ = true;
        use_layers(0, 0);
        note_ += " Gates are the alphas that were given.";
        return std::nullopt;
    }
    error_.assign(gate_.data.size(), 0);
    output_.assign(static_cast<std::size_t>(facts.layers), 0);
    also_capture("attn.hook_v");
    also_need("attn.W_O");
    return std::nullopt;
}

void StreamingHeads::visit(int, int layer, sdk::View pattern, const Besides& besides) {
    measure(layer, pattern, besides.capture("attn.hook_v"), besides.weight("attn.W_O"));
}

void StreamingHeads::measure(int layer, sdk::View pattern, sdk::View values, sdk::View w_o) {
    const sdk::ModelFacts& facts = model();
    const auto width = static_cast<std::size_t>(facts.d_model);
    const int group = facts.heads / facts.kv_heads;
    const auto length = static_cast<int>(pattern.size(1));
    const auto add = [&](const std::vector<double>& z, int head, std::vector<double>& out) {
        for (int d = 0; d < facts.d_head; ++d) {
            const float* line = w_o.data() + (std::int64_t{head} * facts.d_head + d) * facts.d_model;
            for (std::size_t i = 0; i < width; ++i)
                out[i] += z[static_cast<std::size_t>(d)] * static_cast<double>(line[i]);
        }
    };
    const auto norm = [](const std::vector<double>& x) {
        return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
    };
    for (int query = first_; query < length; ++query) {
        std::vector<double> whole(width, 0);
        for (int kv = 0; kv < facts.kv_heads; ++kv) {
            std::vector<double> change(width, 0);
            for (int head = kv * group; head < (kv + 1) * group; ++head) {
                std::vector<double> all(static_cast<std::size_t>(facts.d_head), 0), kept = all;
                double mass = 0;
                for (int key = 0; key <= query; ++key) {
                    const double weight = pattern(head, query, key);
                    const bool keeps = key < sinks_ || key + window_ > query;
                    if (keeps) mass += weight;
                    for (std::size_t d = 0; d < all.size(); ++d) {
                        const double moved = weight * static_cast<double>(values(key, kv, d));
                        all[d] += moved;
                        if (keeps) kept[d] += moved;
                    }
                }
                add(all, head, whole);
                for (std::size_t d = 0; d < all.size(); ++d)
                    kept[d] = (mass > 0 ? kept[d] / mass : 0) - all[d];
                add(kept, head, change);
            }
            error_[static_cast<std::size_t>(layer * facts.kv_heads + kv)] += norm(change);
        }
        output_[static_cast<std::size_t>(layer)] += norm(whole);
    }
}

void StreamingHeads::choose() {
    const auto heads = static_cast<std::size_t>(model().kv_heads);
    if (!imported_)
        for (std::size_t i = 0; i < gate_.data.size(); ++i)
            gate_.data[i] = output_[i / heads] > 0 ? error_[i] / output_[i / heads] : 0;
    std::vector<std::size_t> order(gate_.data.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return gate_.data[a] < gate_.data[b]; });
    const auto streaming =
        static_cast<std::size_t>(std::floor(streaming_share_ * static_cast<double>(order.size()) + 1e-9));
    kept_.assign(order.size(), true);
    for (std::size_t i = 0; i < streaming; ++i)
        kept_[order[i]] = false;
    std::vector<bool> random_kept = kept_;
    std::mt19937_64 random(seed_ + 1);
    for (std::size_t i = random_kept.size(); i > 1; --i) { // a shuffle that is the same on every machine
        const auto j = static_cast<std::size_t>(random() % i);
        const bool moved = random_kept[i - 1];
        random_kept[i - 1] = random_kept[j];
        random_kept[j] = moved;
    }
    const auto add = [&](const char* name, const std::vector<bool>& kept) {
        Trial trial;
        trial.name = name;
        trial.policy = policy_without(kept);
        trial.kept = static_cast<int>(std::count(kept.begin(), kept.end(), true));
        trials_.push_back(std::move(trial));
    };
    add("dense", std::vector<bool>(kept_.size(), true));
    add("gate", kept_);
    add("random", random_kept);
    add("streaming", std::vector<bool>(kept_.size(), false));
}

std::string StreamingHeads::policy_without(const std::vector<bool>& kept) const {
    const int group = model().heads / model().kv_heads;
    std::string heads;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (kept[i]) continue;
        const int layer = static_cast<int>(i) / model().kv_heads, kv = static_cast<int>(i) % model().kv_heads;
        for (int head = kv * group; head < (kv + 1) * group; ++head)
            heads += (heads.empty() ? "" : ",") + ("L" + std::to_string(layer) + "H" + std::to_string(head));
    }
    if (heads.empty()) return {};
    return "window=" + std::to_string(window_) + " sinks=" + std::to_string(sinks_) + " heads=" + heads;
}

sdk::Reply StreamingHeads::finish() {
    choose();
    return need();
}

sdk::Need StreamingHeads::need() const {
    sdk::Run run;
    run.rows = rows();
    run.attention = trials_[next_].policy;
    run.loss = true;
    run.positions = "all";
    run.top = 1;
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.progress = 0.5 + 0.5 * static_cast<double>(next_) / static_cast<double>(trials_.size());
    return need;
}

sdk::Reply StreamingHeads::after(const sdk::Answer& answer) {
    Trial& trial = trials_[next_++];
    int count = 0;
    for (int row = 0; row < static_cast<int>(rows().size()); ++row) {
        const sdk::Row& tokens = rows()[static_cast<std::size_t>(row)];
        const sdk::View nll = answer.token_nll(0, row);
        const sdk::Json& positions = answer.row(0, row).at("positions");
        for (int token = first_ + 1; token < tokens.size(); ++token) {
            const auto at = static_cast<std::size_t>(token);
            trial.loss += static_cast<double>(nll(token));
            trial.correct += positions.at(at - 1).at("top").at(0).at("id") == tokens.ids[at] ? 1 : 0;
            ++count;
        }
    }
    trial.loss /= count;
    trial.correct /= count;
    return next_ < trials_.size() ? sdk::Reply(need()) : done();
}

sdk::Json StreamingHeads::saving() const {
    const auto kept = static_cast<double>(std::count(kept_.begin(), kept_.end(), true));
    const auto streaming = static_cast<double>(kept_.size()) - kept;
    const double token = 8.0 * model().d_head; // key and value of a head in float32
    sdk::Json table = sdk::Json::array();
    std::vector<int> lengths{rows().front().size()};
    for (const int length : {1024, 4096, 8192, 32768, 131072})
        if (length <= model().context && length > lengths.back()) lengths.push_back(length);
    if (model().context > lengths.back()) lengths.push_back(model().context);
    for (const int length : lengths) {
        const double dense = static_cast<double>(kept_.size()) * length * token;
        const double split = (kept * length + streaming * std::min(length, window_ + sinks_)) * token;
        table.push_back(
            {{"tokens", length}, {"dense", dense}, {"split", split}, {"saved", 1 - split / dense}});
    }
    return table;
}

sdk::Done StreamingHeads::done() const {
    auto retrieval = gate_;
    retrieval.name = "retrieval";
    retrieval.whole = true;
    for (std::size_t i = 0; i < kept_.size(); ++i)
        retrieval.data[i] = kept_[i] ? 1 : 0;
    sdk::Json trials = sdk::Json::array();
    for (const Trial& trial : trials_)
        trials.push_back({{"cache", trial.name},
                          {"kept_heads", trial.kept},
                          {"loss", trial.loss},
                          {"delta_loss", trial.loss - trials_.front().loss},
                          {"correct", trial.correct}});
    return sdk::Done{{gate_, retrieval, sdk::ResultData::table("trials", std::move(trials)),
                      sdk::ResultData::table("saving", saving()), sdk::ResultData::text("note", note_)}};
}

} // namespace vitrine::analysis
