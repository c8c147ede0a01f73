#include "core/analysis/token_importance.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/axes.h"
#include "core/analysis/budget.h"
#include "core/analysis/unembed.h"

namespace vitrine::analysis {

namespace {

constexpr int steps_at_once = 5; // of ReAGent, between two looks at whether it may stop

} // namespace

sdk::Manifest TokenImportance::manifest() {
    sdk::Manifest manifest("token-importance", "Importance of input tokens");
    manifest
        .summary(
            "What each token of the prompt does for a token that may come next. leave-one-out: p of the "
            "whole "
            "prompt − p of the prompt with that token deleted (later tokens move up by one) or, with "
            "change=replace, with another in its place; above 0 the token helps. reagent: at each step a "
            "random "
            "subset is replaced by fillers; with d the fall of p, ln((1 + d) / (1 − d)) is added to the "
            "scores of "
            "what was replaced and taken off all others; the softmax of the scores is not negative and sums "
            "to 1. "
            "Scores start at 0 (published: at random numbers in [0, 1)), and it ends when the most "
            "important tokens alone, all others replaced, keep the token read among the `within` most "
            "likely. rollout: where the position leads "
            "through the product over layers of (A + I)/2, heads averaged; sums to 1 and does not look at "
            "the "
            "next token. Tokens behind the position have no value.")
        .citation(
            "Zhao and Shan 2024, ReAGent; Abnar and Zuidema 2020, Quantifying Attention Flow in "
            "Transformers; Li et al. 2016, Understanding Neural Networks through Representation Erasure")
        .choice("method", {"leave-one-out", "reagent", "rollout", "gradient-x-input", "integrated-gradients"},
                "the last two come with the backward pass, which this version does not have");
    declare_reading(manifest);
    return manifest
        .choice("change", {"delete", "replace"}, "leave-one-out: what is done with the token left out")
        .choice("filler", {"random", "predicted", "token"},
                "what replaces a token: any that is not special; one drawn from the model's own prediction "
                "there; "
                "always filler_token")
        .tokens("filler_token", "filler=token: the token put in")
        .integer("steps", 100, "reagent: subsets tried at most", 1, 1000000)
        .number("share", 0.3, "reagent: chance of each token to be replaced at a step", 1e-6, 1)
        .number("keep", 0.3, "reagent: share of the tokens that must be enough for it to end", 0, 1)
        .integer(
            "within", 3,
            "reagent: how likely the token read must then still be (3: among the three most likely; looked "
            "at every 5 steps); 0: all steps are taken",
            0)
        .integer("seed", 0, "of subsets and fillers", 0)
        .result("importance", "scores",
                "[row ×] pos; leave-one-out: difference of probabilities; reagent, rollout: shares of 1")
        .result("tokens", "table",
                "row, pos, id, importance; leave-one-out: prob, that of the token read, without this one")
        .result("read", "table",
                "row, position, id, prob: what is read there of the prompt as it is; reagent: steps taken")
        .result("conditions", "text", "method, change, filler, steps, seed");
}

sdk::Reply TokenImportance::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = read_parameters()) return *failure;
    for (const Reading& reading : readings_) {
        const auto length = static_cast<std::size_t>(reading.position) + 1;
        scores_.emplace_back(length, method_ == Method::leave_one_out ? std::nan("") : 0.0);
        changed_.emplace_back(length, std::nan(""));
    }
    if (method_ != Method::rollout) return clean_need();
    stage_ = Stage::patterns;
    layer_ = start.model.layers;
    for (std::size_t row = 0; row < scores_.size(); ++row)
        scores_[row].back() = 1;
    return patterns_need();
}

std::optional<sdk::Failure> TokenImportance::read_parameters() {
    const std::string method = start_->text("method");
    if (method == "gradient-x-input" || method == "integrated-gradients")
        return sdk::Failure{"unsupported",
                            "The method " + method +
                                " needs gradients, which come with the backward pass that this "
                                "version does not have: use leave-one-out, reagent or rollout."};
    method_ = method == "reagent"   ? Method::reagent
              : method == "rollout" ? Method::rollout
                                    : Method::leave_one_out;
    if (method_ == Method::rollout && start_->model.heads == 0)
        return sdk::Failure{"unsupported",
                            "This model has no attention, so there is nothing to roll out: use "
                            "leave-one-out or reagent."};
    replace_ = start_->text("change") == "replace";
    fill_ = start_->text("filler");
    const auto fillers = start_->tokens("filler_token");
    if ((fill_ == "token") != (fillers.size() == 1))
        return sdk::Failure{"usage", "filler=token needs one filler_token, and other fillers take none."};
    if (auto failure = check_tokens(start_->model, fillers)) return failure;
    plain_ = fillers.empty() ? plain_ids(start_->model) : fillers;
    draws_.emplace(static_cast<std::uint64_t>(start_->integer("seed")));
    return read_readings(*start_, readings_);
}

std::vector<std::int32_t> TokenImportance::seen(int row) const {
    const auto& ids = start_->rows[static_cast<std::size_t>(row)].ids;
    const int last = readings_[static_cast<std::size_t>(row)].position;
    return {ids.begin(), ids.begin() + last + 1};
}

sdk::Need TokenImportance::clean_need() {
    sdk::Run run;
    rows_in_need_ = 0;
    std::int64_t bytes = 0;
    while (next_row_ + rows_in_need_ < static_cast<int>(start_->rows.size()) &&
           (bytes < bytes_of_one_need || rows_in_need_ == 0)) {
        sdk::Row row{seen(next_row_ + rows_in_need_), {}, {}};
        row.special.assign(row.ids.size(), false);
        bytes += std::int64_t{4} * start_->model.vocab * (predicts() ? row.size() : 1);
        run.rows.push_back(std::move(row));
        ++rows_in_need_;
    }
    if (predicts()) run.positions = "all";
    run.logits = true;
    sdk::Need need;
    need.runs.push_back(std::move(run));
    return need;
}

sdk::Reply TokenImportance::step(const sdk::Answer& answer) {
    if (stage_ == Stage::clean) return read_clean(answer);
    if (stage_ == Stage::patterns) return read_patterns(answer);
    if (parts_->take(answer, [&](std::size_t index, sdk::View logits) { visit(index, logits); }))
        return parts_->need();
    return method_ == Method::reagent ? next_round() : finish();
}

sdk::Reply TokenImportance::read_clean(const sdk::Answer& answer) {
    if (!parts_) parts_.emplace(start_->model.vocab);
    for (int r = 0; r < rows_in_need_; ++r) {
        const int row = next_row_ + r;
        const sdk::View logits = answer.logits(0, r);
        const sdk::View last = logits[logits.size(0) - 1];
        Reading& reading = readings_[static_cast<std::size_t>(row)];
        if (reading.tokens.empty()) reading.tokens = largest(last.data(), start_->model.vocab, 1);
        clean_.push_back(probability_of(last, reading.tokens));
        drawn_.emplace_back();
        if (predicts()) draw_fillers(row, logits);
        if (method_ == Method::leave_one_out) leave_out(row);
    }
    next_row_ += rows_in_need_;
    if (next_row_ < static_cast<int>(start_->rows.size())) return clean_need();
    stage_ = Stage::changed;
    if (method_ == Method::reagent) {
        steps_.assign(start_->rows.size(), 0);
        enough_.assign(start_->rows.size(), false);
        return next_round();
    }
    if (parts_->done()) return finish();
    return parts_->need();
}

/// From the model's own prediction at every place of a row, what stands there left out, in the order of use.
void TokenImportance::draw_fillers(int row, sdk::View logits) {
    const std::vector<std::int32_t> ids = seen(row);
    auto& drawn = drawn_[static_cast<std::size_t>(row)];
    drawn.resize(ids.size());
    const int count = method_ == Method::reagent ? 2 * start_->integer("steps") : 1;
    std::vector<double> up_to(static_cast<std::size_t>(start_->model.vocab));
    for (std::size_t pos = 1; pos < ids.size(); ++pos) {
        const sdk::View before = logits[static_cast<std::int64_t>(pos) - 1];
        const double top = *std::max_element(before.begin(), before.end());
        double sum = 0;
        for (std::size_t id = 0; id < up_to.size(); ++id) {
            if (static_cast<std::int32_t>(id) != ids[pos])
                sum += std::exp(static_cast<double>(before.data()[id]) - top);
            up_to[id] = sum;
        }
        for (int i = 0; i < count; ++i) {
            const auto found = std::upper_bound(up_to.begin(), up_to.end(), draws_->share() * sum);
            if (found != up_to.end()) drawn[pos].push_back(static_cast<std::int32_t>(found - up_to.begin()));
        }
        std::reverse(drawn[pos].begin(), drawn[pos].end()); // taken from the back
    }
}

std::int32_t TokenImportance::filler(int row, int position) {
    if (predicts()) {
        auto& drawn = drawn_[static_cast<std::size_t>(row)][static_cast<std::size_t>(position)];
        if (!drawn.empty()) {
            const std::int32_t id = drawn.back();
            drawn.pop_back();
            return id;
        }
    }
    return plain_[static_cast<std::size_t>(draws_->below(static_cast<int>(plain_.size())))];
}

void TokenImportance::leave_out(int row) {
    const std::vector<std::int32_t> ids = seen(row);
    for (int pos = 0; pos < static_cast<int>(ids.size()); ++pos) {
        std::vector<std::int32_t> without = ids;
        if (replace_)
            without[static_cast<std::size_t>(pos)] = filler(row, pos);
        else
            without.erase(without.begin() + pos);
        if (without.empty()) continue; // nothing predicts a first token
        parts_->add(std::move(without));
        changes_.push_back({row, pos, {}, false});
    }
}

/// A few more subsets of every row that goes on, and before them the question whether it may end: its answer
/// comes first.
sdk::Reply TokenImportance::next_round() {
    parts_.emplace(start_->model.vocab);
    changes_.clear();
    for (std::size_t row = 0; row < steps_.size(); ++row) {
        if (enough_[row] || steps_[row] == start_->integer("steps")) continue;
        if (steps_[row] > 0 && start_->integer("within") > 0) replace_unimportant(static_cast<int>(row));
        for (int i = 0; i < steps_at_once && steps_[row] + i < start_->integer("steps"); ++i)
            replace_some(static_cast<int>(row));
    }
    if (parts_->done()) return finish();
    return parts_->need();
}

void TokenImportance::replace_some(int row) {
    std::vector<std::int32_t> ids = seen(row);
    Change change{row, -1, std::vector<bool>(ids.size()), false};
    for (std::size_t pos = 0; pos < ids.size(); ++pos) {
        if (draws_->share() >= start_->number("share")) continue;
        change.replaced[pos] = true;
        ids[pos] = filler(row, static_cast<int>(pos));
    }
    parts_->add(std::move(ids));
    changes_.push_back(std::move(change));
}

void TokenImportance::replace_unimportant(int row) {
    std::vector<std::int32_t> ids = seen(row);
    const std::vector<double>& scores = scores_[static_cast<std::size_t>(row)];
    std::vector<std::size_t> order(ids.size());
    for (std::size_t pos = 0; pos < order.size(); ++pos)
        order[pos] = pos;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    const auto kept =
        static_cast<std::size_t>(std::ceil(start_->number("keep") * static_cast<double>(order.size())));
    for (std::size_t i = kept; i < order.size(); ++i)
        ids[order[i]] = filler(row, static_cast<int>(order[i]));
    parts_->add(std::move(ids));
    changes_.push_back({row, -1, {}, true});
}

void TokenImportance::visit(std::size_t index, sdk::View logits) {
    const Change& change = changes_[index];
    const auto row = static_cast<std::size_t>(change.row);
    if (change.asks) {
        for (const int token : readings_[row].tokens)
            if (rank_of(logits.data(), start_->model.vocab, token) < start_->integer("within"))
                enough_[row] = true;
        return;
    }
    if (method_ == Method::reagent) {
        if (enough_[row]) return; // asked for before it was known
        ++steps_[row];
    }
    const double prob = probability_of(logits, readings_[row].tokens);
    if (method_ == Method::leave_one_out) {
        const auto pos = static_cast<std::size_t>(change.removed);
        changed_[row][pos] = prob;
        scores_[row][pos] = clean_[row] - prob;
        return;
    }
    constexpr double almost_one = 1 - 1e-12;
    const double fall = std::clamp(clean_[row] - prob, -almost_one, almost_one);
    for (std::size_t pos = 0; pos < change.replaced.size(); ++pos)
        scores_[row][pos] += (change.replaced[pos] ? 1 : -1) * std::log((1 + fall) / (1 - fall));
}

sdk::Need TokenImportance::patterns_need() {
    sdk::Row row = start_->rows[static_cast<std::size_t>(next_row_)];
    const std::int64_t bytes = std::int64_t{4} * start_->model.heads * row.size() * row.size();
    layers_in_need_ = std::clamp(static_cast<int>(bytes_of_one_need / bytes), 1, layer_);
    sdk::Run run;
    for (int layer = layer_ - layers_in_need_; layer < layer_; ++layer)
        run.captures.push_back("blocks." + std::to_string(layer) + ".attn.hook_pattern");
    run.rows.push_back(std::move(row));
    sdk::Need need;
    need.runs.push_back(std::move(run));
    const double layers = start_->model.layers;
    need.progress = (next_row_ + 1 - layer_ / layers) / static_cast<double>(start_->rows.size());
    return need;
}

/// From the last layer down: share ← share · (A + I)/2.
sdk::Reply TokenImportance::read_patterns(const sdk::Answer& answer) {
    std::vector<double>& share = scores_[static_cast<std::size_t>(next_row_)];
    for (int layer = layer_ - 1; layer >= layer_ - layers_in_need_; --layer) {
        const sdk::View pattern =
            answer.capture(0, 0, "blocks." + std::to_string(layer) + ".attn.hook_pattern");
        std::vector<double> before(share.size());
        for (std::size_t query = 0; query < share.size(); ++query) {
            before[query] += share[query] / 2;
            for (std::int64_t head = 0; head < pattern.size(0); ++head)
                for (std::size_t key = 0; key <= query; ++key)
                    before[key] += share[query] / 2 / static_cast<double>(pattern.size(0)) *
                                   static_cast<double>(pattern(head, query, key));
        }
        share = std::move(before);
    }
    layer_ -= layers_in_need_;
    if (layer_ == 0) {
        layer_ = start_->model.layers;
        ++next_row_;
    }
    if (next_row_ < static_cast<int>(start_->rows.size())) return patterns_need();
    return finish();
}

std::string TokenImportance::conditions() const {
    const std::string seed = std::to_string(start_->integer("seed"));
    const std::string filled =
        fill_ == "random" ? "any token that is not special"
        : fill_ == "predicted"
            ? "a token drawn from the model's own prediction at that place (at the first, any "
              "that is not special)"
            : "token " + std::to_string(plain_.front());
    const std::string steps = steps_.size() == 1
                                  ? std::to_string(steps_.front()) + " steps"
                                  : "at most " + std::to_string(start_->integer("steps")) + " steps";
    const int within = start_->integer("within");
    const std::string end = within == 0 ? "no early stop"
                                        : "ends when " + sdk::Json(start_->number("keep")).dump() +
                                              " of the tokens keep the token read among the " +
                                              std::to_string(within) + " most likely, all others replaced";
    if (method_ == Method::rollout) return "Attention rollout of all layers, heads averaged.";
    if (method_ == Method::reagent)
        return "ReAGent: " + steps + ", each token replaced with chance " +
               sdk::Json(start_->number("share")).dump() + ", filler: " + filled + ", seed " + seed +
               ", scores start at 0; " + end + ".";
    if (!replace_) return "Leave-one-out: the token is deleted, later ones move up by one.";
    return "Leave-one-out: the token is replaced, filler: " + filled + ", seed " + seed + ".";
}

sdk::Reply TokenImportance::finish() {
    auto importance = per_row("importance", "scores", start_->rows, {}, {"pos"});
    const auto width = static_cast<std::size_t>(importance.axes.back().size);
    sdk::Json tokens = sdk::Json::array(), read = sdk::Json::array();
    for (std::size_t row = 0; row < scores_.size(); ++row) {
        std::vector<double>& scores = scores_[row];
        if (method_ == Method::reagent) {
            const double top = *std::max_element(scores.begin(), scores.end());
            double sum = 0;
            for (double& score : scores)
                sum += score = std::exp(score - top);
            for (double& score : scores)
                score /= sum;
        }
        for (std::size_t pos = 0; pos < scores.size(); ++pos) {
            importance.data[row * width + pos] = scores[pos];
            sdk::Json line = {{"row", row},
                              {"pos", pos},
                              {"id", start_->rows[row].ids[pos]},
                              {"importance", std::isnan(scores[pos]) ? sdk::Json() : sdk::Json(scores[pos])}};
            if (method_ == Method::leave_one_out)
                line["prob"] = std::isnan(changed_[row][pos]) ? sdk::Json() : sdk::Json(changed_[row][pos]);
            tokens.push_back(std::move(line));
        }
        if (method_ == Method::rollout) continue;
        read.push_back({{"row", row},
                        {"position", readings_[row].position},
                        {"id", readings_[row].tokens.front()},
                        {"prob", clean_[row]}});
        if (method_ == Method::reagent) read.back()["steps"] = steps_[row];
        if (readings_[row].tokens.size() > 1) read.back()["ids"] = readings_[row].tokens;
    }
    sdk::Done done{{importance, sdk::ResultData::table("tokens", std::move(tokens))}};
    if (method_ != Method::rollout) done.results.push_back(sdk::ResultData::table("read", std::move(read)));
    done.results.push_back(sdk::ResultData::text("conditions", conditions()));
    return done;
}

} // namespace vitrine::analysis
