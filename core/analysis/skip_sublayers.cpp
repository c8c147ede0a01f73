#include "core/analysis/skip_sublayers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/analysis/budget.h"
#include "core/analysis/effect_results.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

namespace {

constexpr double half_turn = 3.14159265358979323846;

} // namespace

sdk::Manifest SkipSublayers::manifest() {
    return sdk::Manifest("skip-sublayers", "Which sublayers the model can do without")
        .summary("Each attention and MLP sublayer is skipped (what it adds to the residual stream is zero), "
                 "the one that changes the output least is removed for good, and the rest is measured again. "
                 "The distance between the outputs is the mean over all positions and prompts of KL(clean ‖ "
                 "skipped) of the next-token distributions, or of the angle between the logits, in half "
                 "turns. Removals after which more prompts are answered than before are flagged.")
        .citation("Zhang et al. 2024 (FinerCut); Nagarajan et al. 2022 (AxFormer)")
        .choice("distance", {"kl", "angular"}, "between clean and skipped outputs")
        .choice("kinds", {"both", "attention", "mlp"}, "what may be removed")
        .integer("count", nullptr, "removals; without: half of the sublayers", 1)
        .tokens("answer", "of rows without one; accuracy is only measured where answers are known")
        .integer("position", -1, "where answers are read, of rows without one; negative from the end")
        .result("single", "matrix", "distance with one sublayer skipped alone, layer × kind")
        .result("output_distance", "series",
                "by number of removals, from none on: distance to the whole model")
        .result("loss", "series", "the same: mean −log p of the prompts' tokens, nats")
        .result("accuracy", "series", "the same: share of prompts whose likeliest token is an answer")
        .result("order", "matrix", "layer × kind: after how many removals it was gone; no value: it stayed")
        .result("removed", "table",
                "by removal: what was removed, distance, loss, accuracy, and whether accuracy rose")
        .result("note", "text", "output distance, prompts, answers");
}

std::optional<sdk::Failure> SkipSublayers::choose() {
    angular_ = start_->text("distance") == "angular";
    prompts_ = uncorrupted(start_->rows);
    answers_known_ = true;
    for (std::size_t row = 0; row < prompts_.size(); ++row) {
        const sdk::Row& prompt = prompts_[row];
        if (prompt.size() < 2)
            return sdk::Failure{"usage", "Row " + std::to_string(row) +
                                             " has one token, and losses need two: give a longer text."};
        answers_.push_back(prompt.answer.empty() ? start_->tokens("answer") : prompt.answer);
        int position = prompt.position.value_or(start_->integer("position"));
        if (position < 0) position += prompt.size();
        if (position < 0 || position >= prompt.size())
            return sdk::Failure{"out-of-range", "The position of the answer lies outside row " +
                                                    std::to_string(row) + ": give another."};
        positions_.push_back(position);
        answers_known_ = answers_known_ && !answers_.back().empty();
    }
    const std::string kinds = start_->text("kinds");
    for (int layer = 0; layer < start_->model.layers; ++layer) {
        if (kinds != "mlp") left_.push_back({layer, Kind::attention});
        if (kinds != "attention") left_.push_back({layer, Kind::mlp});
    }
    const auto all = static_cast<int>(left_.size());
    count_ = start_->given("count") ? start_->integer("count") : (all + 1) / 2;
    if (count_ > all)
        return sdk::Failure{"out-of-range", "count=" + std::to_string(count_) + " removes more than the " +
                                                std::to_string(all) + " sublayers there are."};
    return std::nullopt;
}

sdk::Reply SkipSublayers::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = choose()) return *failure;
    candidates_.assign(left_.size(), {});
    return next();
}

std::string SkipSublayers::skip(const Sublayer& sublayer, const std::string& rows) const {
    return "blocks." + std::to_string(sublayer.layer) +
           (sublayer.kind == Kind::attention ? ".hook_attn_out row=" : ".hook_mlp_out row=") + rows + " zero";
}

std::size_t SkipSublayers::rows_per_run() const {
    const std::int64_t numbers = std::int64_t{prompts_[prompt_].size()} * start_->model.vocab;
    return static_cast<std::size_t>(std::max<std::int64_t>(bytes_of_one_need / 4 / numbers - 1, 1));
}

std::size_t SkipSublayers::end() const { return std::min(begin_ + rows_per_run(), left_.size()); }

sdk::Reply SkipSublayers::next() {
    if (static_cast<int>(removed_.size()) == count_) return done();
    sdk::Run run;
    run.rows.assign(1 + end() - begin_, prompts_[prompt_]); // the clean one first
    for (const Sublayer& gone : removed_)
        run.edits.push_back(skip(gone, "1:" + std::to_string(run.rows.size())));
    for (std::size_t at = begin_; at < end(); ++at)
        run.edits.push_back(skip(left_[at], std::to_string(1 + at - begin_)));
    run.positions = "all";
    run.loss = true;
    run.logits = true;
    sdk::Need need;
    need.runs = {std::move(run)};
    const double round =
        (static_cast<double>(prompt_) + static_cast<double>(begin_) / static_cast<double>(left_.size())) /
        static_cast<double>(prompts_.size());
    need.progress = (static_cast<double>(removed_.size()) + round) / count_;
    return need;
}

double SkipSublayers::distance(sdk::View clean, sdk::View changed) const {
    double sum = 0;
    for (std::int64_t pos = 0; pos < clean.size(0); ++pos) {
        const sdk::View a = clean[pos], b = changed[pos];
        if (angular_) {
            sum += std::acos(std::clamp(cosine_of(a, b), -1.0, 1.0)) / half_turn;
            continue;
        }
        sum += divergence(log_probabilities(a), log_probabilities(b));
    }
    return sum / static_cast<double>(clean.size(0));
}

SkipSublayers::Outcome SkipSublayers::measure(const sdk::Answer& answer, int row) const {
    const sdk::View logits = answer.logits(0, row);
    Outcome outcome;
    outcome.distance = row == 0 ? 0 : distance(answer.logits(0, 0), logits);
    outcome.loss = answer.row(0, row).at("loss").get<double>();
    const sdk::View last = logits[positions_[prompt_]];
    const auto best = std::max_element(last.begin(), last.end()) - last.begin();
    const auto& answers = answers_[prompt_];
    outcome.correct = std::find(answers.begin(), answers.end(), best) != answers.end() ? 1 : 0;
    return outcome;
}

sdk::Reply SkipSublayers::step(const sdk::Answer& answer) {
    const double share = 1 / static_cast<double>(prompts_.size());
    const auto add = [&](Outcome& sum, const Outcome& one) {
        sum.distance += share * one.distance;
        sum.loss += share * one.loss;
        sum.correct += share * one.correct;
    };
    if (removed_.empty() && begin_ == 0) add(clean_, measure(answer, 0));
    for (std::size_t at = begin_; at < end(); ++at)
        add(candidates_[at], measure(answer, static_cast<int>(1 + at - begin_)));
    begin_ = end();
    if (begin_ < left_.size()) return next();
    begin_ = 0;
    if (++prompt_ < prompts_.size()) return next();
    prompt_ = 0;
    remove();
    return next();
}

/// The sublayer whose removal changes the output least; of equal ones the first.
void SkipSublayers::remove() {
    if (removed_.empty()) {
        curve_.push_back(clean_);
        first_.assign(2 * static_cast<std::size_t>(start_->model.layers), std::nan(""));
        for (std::size_t at = 0; at < left_.size(); ++at)
            first_[2 * static_cast<std::size_t>(left_[at].layer) + (left_[at].kind == Kind::mlp ? 1 : 0)] =
                candidates_[at].distance;
    }
    const auto least =
        std::min_element(candidates_.begin(), candidates_.end(),
                         [](const Outcome& a, const Outcome& b) { return a.distance < b.distance; });
    const auto at = least - candidates_.begin();
    curve_.push_back(*least);
    removed_.push_back(left_[static_cast<std::size_t>(at)]);
    left_.erase(left_.begin() + at);
    candidates_.assign(left_.size(), {});
}

sdk::ResultData SkipSublayers::map(const std::string& name, const std::vector<double>& values) const {
    auto result = sdk::ResultData::array(
        name, "matrix", {{"layer", start_->model.layers, {}}, {"sublayer", 2, {"attention", "MLP"}}});
    result.data = values;
    return result;
}

sdk::ResultData SkipSublayers::curve(const std::string& name, double Outcome::*field) const {
    auto result =
        sdk::ResultData::array(name, "series", {{"removals", static_cast<std::int64_t>(curve_.size()), {}}});
    for (std::size_t i = 0; i < curve_.size(); ++i)
        result.data[i] = curve_[i].*field;
    return result;
}

sdk::Done SkipSublayers::done() const {
    std::vector<double> order(first_.size(), std::nan(""));
    sdk::Json table = sdk::Json::array();
    std::string note = std::to_string(prompts_.size()) + (prompts_.size() == 1 ? " prompt" : " prompts") +
                       "; output distance: " +
                       (angular_ ? "angle between logits, half turns" : "KL(clean ‖ skipped), nats") +
                       ", mean over all positions.";
    for (std::size_t i = 0; i < removed_.size(); ++i) {
        const Sublayer& gone = removed_[i];
        const bool mlp = gone.kind == Kind::mlp;
        order[2 * static_cast<std::size_t>(gone.layer) + (mlp ? 1 : 0)] = static_cast<double>(i + 1);
        const Outcome &before = curve_[i], &after = curve_[i + 1];
        table.push_back({{"removal", i + 1},
                         {"sublayer", (mlp ? "M" : "A") + std::to_string(gone.layer)},
                         {"layer", gone.layer},
                         {"kind", mlp ? "mlp" : "attention"},
                         {"distance", after.distance},
                         {"loss", after.loss}});
        if (!answers_known_) continue;
        table.back()["accuracy"] = after.correct;
        table.back()["accuracy_raised"] = after.correct > before.correct + 1e-9;
    }
    sdk::Done done;
    done.results.push_back(map("single", first_));
    done.results.push_back(curve("output_distance", &Outcome::distance));
    done.results.push_back(curve("loss", &Outcome::loss));
    if (answers_known_)
        done.results.push_back(curve("accuracy", &Outcome::correct));
    else
        note += " Accuracy is not known: rows have no answers (set answer=TOKEN, or give them a field "
                "\"answer\").";
    done.results.push_back(map("order", order));
    done.results.push_back(sdk::ResultData::table("removed", std::move(table)));
    done.results.push_back(sdk::ResultData::text("note", note));
    return done;
}

} // namespace vitrine::analysis
