#include "core/analysis/sink_what_if.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/analysis/budget.h"
#include "core/analysis/sink_rows.h"
#include "core/analysis/sinks.h"

namespace vitrine::analysis {

namespace {

constexpr int least_queries = 8; // keys that fewer see are not looked at

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

} // namespace

Ending ending_of(sdk::View logits) {
    Ending ending;
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float logit : logits)
        sum += std::exp(static_cast<double>(logit) - largest);
    const double log_sum = largest + std::log(sum);
    ending.log_p.reserve(static_cast<std::size_t>(logits.count()));
    for (const float logit : logits) {
        const double log_p = static_cast<double>(logit) - log_sum;
        ending.log_p.push_back(log_p);
        ending.entropy -= std::exp(log_p) * log_p;
    }
    return ending;
}

double kl_divergence(const Ending& p, const Ending& q) {
    double sum = 0;
    for (std::size_t i = 0; i < p.log_p.size(); ++i)
        sum += std::exp(p.log_p[i]) * (p.log_p[i] - q.log_p[i]);
    return sum;
}

sdk::Manifest SinkWhatIf::manifest() {
    return sdk::Manifest("sink-what-if", "What if this sink were not there")
        .summary("What a sink does is measured, not assumed: loss, next-token distribution and continuation "
                 "with the "
                 "sink changed, beside the clean run. mask: queries after the sink cannot look at its key. "
                 "mask-later: the same from layer `from` on, since masked in all layers the next token "
                 "becomes the "
                 "sink. zero-value: its value is zero. token-mean: its value is the mean over all tokens of "
                 "the rows; "
                 "row-mean: its own mean over rows. calibrate: sinks other than a head's first keep `beta` "
                 "of their "
                 "attention, the other keys get the rest (ACT; the whole prompt judges which columns are "
                 "sinks, in "
                 "the continuation each row alone). window: only the last `window` keys are kept; "
                 "sinks+window: the "
                 "first `sinks` keys as well, positions counted inside that cache where the model can "
                 "(StreamingLLM). The control is the same change at a random other token, mean and standard "
                 "deviation over `draws`.")
        .citation("Gu et al. 2024; Yu et al. 2024 (ACT); Xiao et al. 2023 (StreamingLLM)")
        .integer("key", 0, "position of the sink; negative from the end of each row")
        .positions("layers", "all", "layers in which key, value and pattern are changed: all, 3, 2:30 or 1,4")
        .integer("from", 3, "first layer of mask-later", 0)
        .number("beta", 0.4, "what a calibrated sink keeps of its attention", 0, 1)
        .number("threshold", 0.1, "mean attention above which calibrate takes a key for a sink", 0, 1)
        .integer("window", 64, "keys of the window", 1)
        .integer("sinks", 4, "first keys that sinks+window keeps", 0)
        .integer("max_new", 16, "tokens of the continuation (greedy); 0: none", 0, 100000)
        .integer("top", 5, "most likely next tokens listed", 1, 1000)
        .integer("draws", 2, "random other tokens of the control; 0: no control", 0, 100)
        .integer("seed", 0, "of the control", 0)
        .result("delta_loss", "series", "by change: loss − clean loss, nats, mean over rows")
        .result("kl", "series", "by change: KL(clean ‖ changed) at the last position, nats, mean over rows")
        .result("delta_entropy", "series", "by change: entropy at the last position − clean, nats")
        .result(
            "effects", "table",
            "change, loss, delta_loss, its standard deviation over rows, kl, delta_entropy, the control's "
            "delta_loss (mean, deviation over draws), and the edits in the words of the command line")
        .result("rows", "table",
                "the same by row, and the key that most attention goes to after the change (mean alpha over "
                "layers and heads; keys seen by at least 8 queries)")
        .result("top", "table",
                "next tokens at the last position by change and row, and what they had before")
        .result("texts", "table", "continuation by change and row")
        .result("note", "text", "rows, whether a BOS is present, what was left out");
}

std::optional<sdk::Failure> SinkWhatIf::choose_layers() {
    const int count = start_->model.layers;
    const auto layers = start_->positions("layers", count);
    if (!layers)
        return sdk::Failure{"out-of-range", "A layer of layers=" + start_->parameters.at("layers").dump() +
                                                " is not there: the model has " + std::to_string(count) +
                                                "."};
    layers_ = *layers;
    return std::nullopt;
}

sdk::Reply SinkWhatIf::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = keys_of(start, "key", keys_)) return *failure;
    if (auto failure = choose_layers()) return *failure;
    std::int64_t bytes = 0;
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        const std::int64_t length = start.rows[row].size();
        if (length < keys_[row] + 3 || length < 4)
            return sdk::Failure{"out-of-range",
                                "Row " + std::to_string(row) +
                                    " is too short: a sink needs two tokens after it, and a row "
                                    "at least four; give a longer text, or a smaller key."};
        bytes += 4 * length * length * start.model.heads * start.model.layers;
        if (length <= start.integer("window"))
            note_ += " Row " + std::to_string(row) + " fits into the window, which changes nothing there.";
    }
    patterns_ = bytes <= bytes_of_one_need;
    if (!patterns_) note_ += " Rows this long leave no room to look for the sink after each change.";
    changes_ = sink_changes(start, keys_, layers_, note_);
    return need();
}

sdk::Need SinkWhatIf::need() const {
    const Change& change = changes_[effects_.size()];
    sdk::Run run;
    run.rows = start_->rows;
    run.edits = change.edits;
    run.attention = change.attention;
    run.loss = true;
    run.logits = true;
    run.top = 0;
    if (patterns_ && change.control_of < 0) run.captures.push_back("blocks.*.attn.hook_pattern");
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.progress = static_cast<double>(effects_.size()) / static_cast<double>(changes_.size());
    if (start_->integer("max_new") == 0 || change.control_of >= 0) return need;
    sdk::Generation generation;
    generation.rows = start_->rows;
    generation.edits = change.edits;
    generation.attention = change.attention;
    generation.max_new = start_->integer("max_new");
    need.generations.push_back(std::move(generation));
    return need;
}

sdk::Reply SinkWhatIf::step(const sdk::Answer& answer) {
    take(answer, effects_.size());
    return effects_.size() < changes_.size() ? sdk::Reply(need()) : done();
}

void SinkWhatIf::take(const sdk::Answer& answer, std::size_t index) {
    const Change& change = changes_[index];
    std::vector<RowEffect> effects;
    for (int row = 0; row < static_cast<int>(start_->rows.size()); ++row) {
        const auto at = static_cast<std::size_t>(row);
        Ending ending = ending_of(answer.logits(0, row)[0]);
        if (index == 0) clean_.push_back(ending);
        RowEffect effect;
        effect.loss = answer.row(0, row).at("loss").get<double>();
        effect.entropy = ending.entropy;
        effect.delta_loss = index == 0 ? 0 : effect.loss - effects_[0][at].loss;
        effect.delta_entropy = ending.entropy - clean_[at].entropy;
        effect.kl = index == 0 ? 0 : kl_divergence(clean_[at], ending);
        if (change.control_of < 0) {
            find_sink(answer, row, effect);
            std::vector<int> order(ending.log_p.size());
            std::iota(order.begin(), order.end(), 0);
            const auto count =
                std::min<std::size_t>(static_cast<std::size_t>(start_->integer("top")), order.size());
            std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                              [&](int a, int b) {
                                  const double x = ending.log_p[static_cast<std::size_t>(a)];
                                  const double y = ending.log_p[static_cast<std::size_t>(b)];
                                  return x > y || (x == y && a < b);
                              });
            for (std::size_t rank = 0; rank < count; ++rank) {
                const auto id = static_cast<std::size_t>(order[rank]);
                top_.push_back({{"change", change.name},
                                {"row", row},
                                {"rank", rank},
                                {"id", id},
                                {"prob", std::exp(ending.log_p[id])},
                                {"clean_prob", std::exp(clean_[at].log_p[id])}});
            }
            if (start_->integer("max_new") > 0)
                texts_.push_back({{"change", change.name},
                                  {"row", row},
                                  {"new_ids", answer.generated(0, row).at("new_ids")}});
        }
        effects.push_back(effect);
    }
    effects_.push_back(std::move(effects));
}

void SinkWhatIf::find_sink(const sdk::Answer& answer, int row, RowEffect& effect) const {
    if (!patterns_) return;
    const int length = start_->rows[static_cast<std::size_t>(row)].size();
    std::vector<double> alpha(static_cast<std::size_t>(std::max(1, length - least_queries + 1)), 0);
    const double heads = static_cast<double>(start_->model.layers) * start_->model.heads;
    for (int layer = 0; layer < start_->model.layers; ++layer) {
        const sdk::View pattern =
            answer.capture(0, row, "blocks." + std::to_string(layer) + ".attn.hook_pattern");
        for (int head = 0; head < start_->model.heads; ++head)
            for (std::size_t key = 0; key < alpha.size(); ++key)
                alpha[key] += sink_alpha(pattern[head], static_cast<int>(key)) / heads;
    }
    const auto largest = std::max_element(alpha.begin(), alpha.end());
    effect.sink_key = static_cast<int>(largest - alpha.begin());
    effect.sink_alpha = *largest;
}

sdk::Json SinkWhatIf::describe(std::size_t index) const {
    const Change& change = changes_[index];
    std::vector<double> loss, delta, kl, entropy, control;
    for (const RowEffect& effect : effects_[index]) {
        loss.push_back(effect.loss);
        delta.push_back(effect.delta_loss);
        kl.push_back(effect.kl);
        entropy.push_back(effect.delta_entropy);
    }
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        if (changes_[i].control_of != static_cast<int>(index)) continue;
        double sum = 0;
        for (const RowEffect& effect : effects_[i])
            sum += effect.delta_loss;
        control.push_back(sum / static_cast<double>(effects_[i].size()));
    }
    const auto deviation = [](const std::vector<double>& values) {
        if (values.size() < 2) return sdk::Json();
        const double middle = mean(values);
        double square = 0;
        for (const double value : values)
            square += (value - middle) * (value - middle);
        return sdk::Json(std::sqrt(square / static_cast<double>(values.size() - 1)));
    };
    std::string how = change.attention.empty() ? "" : "attention " + change.attention;
    for (const std::string& edit : change.edits)
        how += (how.empty() ? "" : "; ") + edit;
    return {{"change", change.name},
            {"loss", mean(loss)},
            {"delta_loss", mean(delta)},
            {"deviation", deviation(delta)},
            {"kl", mean(kl)},
            {"delta_entropy", mean(entropy)},
            {"control", control.empty() ? sdk::Json() : sdk::Json(mean(control))},
            {"control_deviation", deviation(control)},
            {"edits", how}};
}

sdk::Done SinkWhatIf::done() const {
    sdk::Json effects = sdk::Json::array(), rows = sdk::Json::array();
    sdk::Axis axis{"change"};
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        if (changes_[i].control_of >= 0) continue;
        effects.push_back(describe(i));
        if (i > 0) axis.labels.push_back(changes_[i].name);
        for (std::size_t row = 0; row < effects_[i].size(); ++row) {
            const RowEffect& effect = effects_[i][row];
            sdk::Json line = {{"change", changes_[i].name},
                              {"row", row},
                              {"loss", effect.loss},
                              {"delta_loss", effect.delta_loss},
                              {"kl", effect.kl},
                              {"delta_entropy", effect.delta_entropy}};
            if (patterns_) {
                line["sink_key"] = effect.sink_key;
                line["sink_alpha"] = effect.sink_alpha;
                line["id"] = start_->rows[row].ids[static_cast<std::size_t>(effect.sink_key)];
            }
            rows.push_back(std::move(line));
        }
    }
    axis.size = static_cast<std::int64_t>(axis.labels.size());
    sdk::Done done;
    for (const char* name : {"delta_loss", "kl", "delta_entropy"}) {
        auto series = sdk::ResultData::array(name, "series", {axis});
        for (std::size_t i = 0; i < series.data.size(); ++i)
            series.data[i] = effects[i + 1].at(name).get<double>();
        done.results.push_back(std::move(series));
    }
    done.results.push_back(sdk::ResultData::table("effects", std::move(effects)));
    done.results.push_back(sdk::ResultData::table("rows", std::move(rows)));
    done.results.push_back(sdk::ResultData::table("top", top_));
    done.results.push_back(sdk::ResultData::table("texts", texts_));
    done.results.push_back(sdk::ResultData::text("note", describe_rows(start_->rows) + note_));
    return done;
}

} // namespace vitrine::analysis
