#include "core/analysis/streaming.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/sink_rows.h"

namespace vitrine::analysis {

namespace {

constexpr const char* recomputed = "recomputed";

/// Mean of the numbers of tokens [begin, end) in all rows; NaN if there are none.
double mean_nll(const std::vector<std::vector<double>>& rows, int begin, int end) {
    double sum = 0;
    int count = 0;
    for (const auto& row : rows)
        for (int token = begin; token < std::min(end, static_cast<int>(row.size())); ++token) {
            const double nll = row[static_cast<std::size_t>(token)];
            if (std::isnan(nll)) continue;
            sum += nll;
            ++count;
        }
    return count == 0 ? std::nan("") : sum / count;
}

} // namespace

sdk::Manifest Streaming::manifest() {
    return sdk::Manifest("streaming", "Streaming caches")
        .summary(
            "Perplexity by position with different caches of keys and values. dense: all of them. window: "
            "the "
            "last `window` tokens; once the first tokens drop out (near position = window) the sink is gone "
            "and "
            "perplexity jumps. sinks+window: the first `sinks` tokens stay, and positions count inside the "
            "cache; learned positions cannot be counted so. recomputed: no cache, each token read from the "
            "last "
            "`window` tokens run afresh, measured at every `recompute`-th token after the window. All caches "
            "are measured in one pass, as the model would see them token by token.")
        .citation("Xiao et al. 2023, Efficient Streaming Language Models with Attention Sinks")
        .integer("window", 64, "last tokens that are kept", 1)
        .integer("sinks", 4, "first tokens that sinks+window keeps", 0)
        .boolean("reindexed", true, "count positions inside the cache of sinks+window")
        .integer("bin", 32, "tokens of a bin of positions", 1)
        .integer("recompute", 16, "every how many tokens the window is run afresh; 0: never", 0)
        .result("perplexity", "matrix", "cache × bin; e to the mean −log p of the bin's tokens in all rows")
        .result("nll", "matrix", "cache × pos; −log p of each token, mean over rows, nats")
        .result(
            "caches", "table",
            "cache, loss, perplexity, the same from position `window` on, tokens kept of the longest row, "
            "bytes of keys and values in float32, and their share of the dense cache")
        .result("note", "text", "rows, whether a BOS is present");
}

sdk::Reply Streaming::start(const sdk::Start& start) {
    start_ = &start;
    window_ = start.integer("window");
    sinks_ = start.integer("sinks");
    bin_ = start.integer("bin");
    every_ = start.integer("recompute");
    const bool reindexed = start.flag("reindexed");
    if (reindexed && sinks_ > 0 && !start.model.reindexable)
        return sdk::Failure{"unsupported",
                            "Positions cannot be counted inside the cache: those of this model (" +
                                start.model.positional + ") are fixed; set reindexed=false to keep them."};
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        longest_ = std::max(longest_, start.rows[row].size());
        if (start.rows[row].size() <= window_ + 1)
            return sdk::Failure{"out-of-range", "Row " + std::to_string(row) + " has " +
                                                    std::to_string(start.rows[row].size()) +
                                                    " tokens and fits into the window of " +
                                                    std::to_string(window_) +
                                                    ": give a longer text, or a smaller window."};
    }
    const std::string window = "window=" + std::to_string(window_);
    policies_ = {{"dense", "", {}},
                 {"window", window, {}},
                 {"sinks+window",
                  window + " sinks=" + std::to_string(sinks_) + (reindexed && sinks_ > 0 ? " reindexed" : ""),
                  {}}};
    if (every_ > 0) policies_.push_back({recomputed, "", {}});
    return need();
}

// Tokens whose prediction is measured on the window before them.
std::vector<int> Streaming::recomputed_tokens(int length) const {
    std::vector<int> tokens;
    for (int token = window_; token < length; token += every_)
        tokens.push_back(token);
    return tokens;
}

sdk::Need Streaming::need() const {
    const Policy& policy = policies_[next_];
    sdk::Run run;
    run.loss = true;
    run.attention = policy.attention;
    if (policy.name != recomputed) {
        run.rows = start_->rows;
    } else {
        for (const sdk::Row& row : start_->rows)
            for (const int token : recomputed_tokens(row.size())) {
                sdk::Row part;
                part.ids.assign(row.ids.begin() + token - window_, row.ids.begin() + token + 1);
                part.special.assign(row.special.begin() + token - window_, row.special.begin() + token + 1);
                run.rows.push_back(std::move(part));
            }
    }
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.progress = static_cast<double>(next_) / static_cast<double>(policies_.size());
    return need;
}

sdk::Reply Streaming::step(const sdk::Answer& answer) {
    take(answer, policies_[next_]);
    return ++next_ < policies_.size() ? sdk::Reply(need()) : done();
}

void Streaming::take(const sdk::Answer& answer, Policy& policy) const {
    int part = 0;
    for (int row = 0; row < static_cast<int>(start_->rows.size()); ++row) {
        const int length = start_->rows[static_cast<std::size_t>(row)].size();
        if (policy.name != recomputed) {
            const sdk::View nll = answer.token_nll(0, row);
            policy.nll.emplace_back(nll.begin(), nll.end());
            continue;
        }
        // Up to the window nothing is dropped: what the dense cache gives.
        std::vector<double> nll(static_cast<std::size_t>(length), std::nan(""));
        const std::vector<double>& dense = policies_[0].nll[static_cast<std::size_t>(row)];
        std::copy_n(dense.begin(), window_, nll.begin());
        for (const int token : recomputed_tokens(length))
            nll[static_cast<std::size_t>(token)] = answer.token_nll(0, part++)(window_);
        policy.nll.push_back(std::move(nll));
    }
}

sdk::Json Streaming::cache_of(const Policy& policy) const {
    const int kept = policy.name == "dense"      ? longest_
                     : policy.name == "window"   ? std::min(longest_, window_)
                     : policy.name == recomputed ? 0
                                                 : std::min(longest_, window_ + sinks_);
    const sdk::ModelFacts& model = start_->model;
    const std::int64_t token = std::int64_t{8} * model.layers * model.kv_heads * model.d_head;
    const double loss = mean_nll(policy.nll, 1, longest_);
    const double after = mean_nll(policy.nll, window_, longest_);
    return {{"cache", policy.name},
            {"loss", loss},
            {"perplexity", std::exp(loss)},
            {"loss_after_window", after},
            {"perplexity_after_window", std::exp(after)},
            {"tokens", kept},
            {"bytes", kept * token},
            {"share", static_cast<double>(kept) / longest_}};
}

sdk::Done Streaming::done() const {
    sdk::Axis caches{"cache"};
    sdk::Axis bins{"bin", (longest_ + bin_ - 1) / bin_};
    for (std::int64_t i = 0; i < bins.size; ++i)
        bins.labels.push_back(std::to_string(i * bin_) + "–" +
                              std::to_string(std::min<std::int64_t>((i + 1) * bin_, longest_) - 1));
    sdk::Json table = sdk::Json::array();
    for (const Policy& policy : policies_) {
        caches.labels.push_back(policy.name);
        table.push_back(cache_of(policy));
    }
    caches.size = static_cast<std::int64_t>(caches.labels.size());
    auto perplexity = sdk::ResultData::array("perplexity", "matrix", {caches, bins});
    auto nll = sdk::ResultData::array("nll", "matrix", {caches, {"pos", longest_}});
    for (std::size_t i = 0; i < policies_.size(); ++i) {
        for (std::int64_t bin = 0; bin < bins.size; ++bin)
            perplexity(i, bin) = std::exp(
                mean_nll(policies_[i].nll, static_cast<int>(bin) * bin_, (static_cast<int>(bin) + 1) * bin_));
        for (int pos = 0; pos < longest_; ++pos)
            nll(i, pos) = mean_nll(policies_[i].nll, pos, pos + 1);
    }
    std::string note = describe_rows(start_->rows);
    if (every_ > 1)
        note += " recomputed is measured at one token in " + std::to_string(every_) + " from position " +
                std::to_string(window_) + " on; before it, it is what dense is.";
    return sdk::Done{{perplexity, nll, sdk::ResultData::table("caches", std::move(table)),
                      sdk::ResultData::text("note", note)}};
}

} // namespace vitrine::analysis
