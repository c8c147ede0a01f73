#include "core/analysis/replaced_operations.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/analysis/budget.h"
#include "core/analysis/control_vectors.h"
#include "core/analysis/effect_results.h"
#include "core/analysis/metric.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

namespace {

/// An operation, the edit that replaces it, and the hook of what its sublayer adds to the residual stream.
struct Operation {
    const char* name;
    const char* hook;
    const char* edit;
    const char* written;
};

constexpr std::array operations{
    Operation{"activation", "mlp.hook_post", "identity", "hook_mlp_out"},
    Operation{"softmax", "attn.hook_pattern", "sigmoid", "hook_attn_out"},
    Operation{"serial", "hook_mlp_in", "parallel", "hook_mlp_out"},
    Operation{"norm-of-attention", "ln1.hook_scale", "mean", "hook_attn_out"},
    Operation{"norm-of-mlp", "ln2.hook_scale", "mean", "hook_mlp_out"},
};

const Operation& operation_of(const std::string& name) {
    return *std::find_if(operations.begin(), operations.end(),
                         [&](const Operation& operation) { return name == operation.name; });
}

double mean_entropy(const sdk::Json& row) {
    double sum = 0;
    for (const sdk::Json& position : row.at("positions"))
        sum += position.at("entropy").get<double>();
    return sum / static_cast<double>(row.at("positions").size());
}

} // namespace

sdk::Manifest ReplacedOperations::manifest() {
    std::vector<std::string> names;
    for (const Operation& operation : operations)
        names.emplace_back(operation.name);
    return sdk::Manifest("replaced-operations", "What an operation is worth: another in its place")
        .summary(
            "One operation of a layer gives way to a simpler one, in each layer alone and in all chosen "
            "layers together. activation: the MLP's function by the identity (a gate stays as a plain "
            "factor). softmax: by a sigmoid of score − ln n, n the keys that the query sees. serial: the "
            "MLP reads what the layer's attention reads, so that both work in parallel. norm-of-…: the "
            "norm's scale by one number, its mean over the prompt's tokens. Beside each the control: a "
            "random vector added to what the sublayer writes, at every token as long as the change that "
            "the replacement makes there.")
        .citation("Ramapuram et al. 2024 (sigmoid attention); Wang & Komatsuzaki 2021 (parallel blocks)")
        .choice("operation", names, "what is replaced")
        .positions("layer", "all", "layers: all, 3, 2:5 or 1,4")
        .choice("exclude", {"none", "special"},
                "special: special tokens do not count in the mean of a norm's scale")
        .integer("draws", 2, "random vectors of the control in each layer; 0: none", 0, 100)
        .integer("seed", 0, "of the control", 0)
        .result("entropy", "series",
                "by layer: mean over tokens of the next token's entropy, changed − clean, nats")
        .result("loss", "series", "by layer: mean −log p of the tokens, changed − clean, nats")
        .result("kl", "series", "by layer: mean over tokens of KL(clean ‖ changed), nats")
        .result("cosine", "series",
                "by layer: mean over tokens of the cosine between the last layer's clean and changed output")
        .result("control_entropy", "series", "the same of the control, mean over draws")
        .result("control_loss", "series", "the same of the control, mean over draws")
        .result("control_kl", "series", "the same of the control, mean over draws")
        .result("control_cosine", "series", "the same of the control, mean over draws")
        .result("together", "table", "the same with the operation replaced in all chosen layers at once")
        .result("clean_entropy", "number", "nats, mean over tokens and prompts")
        .result("clean_loss", "number", "nats, mean over tokens and prompts");
}

std::optional<sdk::Failure> ReplacedOperations::choose() {
    operation_ = start_->text("operation");
    special_stays_out_ = start_->text("exclude") == "special";
    draws_ = start_->integer("draws");
    random_.seed(static_cast<std::uint64_t>(start_->integer("seed")));
    if (auto failure = chosen_layers(*start_, "layer", layers_)) return failure;
    prompts_ = uncorrupted(start_->rows);
    for (std::size_t row = 0; row < prompts_.size(); ++row)
        if (prompts_[row].size() < 2)
            return sdk::Failure{"usage", "Row " + std::to_string(row) +
                                             " has one token, and losses need two: give a longer text."};
    return std::nullopt;
}

sdk::Reply ReplacedOperations::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = choose()) return *failure;
    effects_.resize(layers_.size());
    controls_.resize(layers_.size());
    begin_changes();
    return next();
}

std::string ReplacedOperations::written(std::size_t place) const {
    return "blocks." + std::to_string(layers_[place]) + "." + operation_of(operation_).written;
}

std::vector<std::string> ReplacedOperations::edits(const Item& item, std::size_t row) const {
    const Operation& operation = operation_of(operation_);
    const std::string where = " row=" + std::to_string(row) + " ";
    if (item.draw >= 0)
        return {written(item.place) + where + "add 1*@control" + std::to_string(item.draw) + "_" +
                std::to_string(item.place)};
    std::string what = operation.edit;
    if (special_stays_out_ && what == "mean") what += " exclude=special";
    std::vector<std::string> all;
    for (std::size_t place = 0; place < layers_.size(); ++place)
        if (item.place == all_layers || item.place == place)
            all.push_back("blocks." + std::to_string(layers_[place]) + "." + operation.hook + where + what);
    return all;
}

void ReplacedOperations::begin_changes() {
    items_.clear();
    begin_ = 0;
    for (std::size_t place = 0; place < layers_.size(); ++place)
        items_.push_back({place, -1});
    items_.push_back({all_layers, -1});
    changes_.assign(layers_.size(), {});
    arrays_.clear();
}

void ReplacedOperations::begin_controls() {
    items_.clear();
    begin_ = 0;
    for (std::size_t place = 0; place < layers_.size(); ++place)
        for (int draw = 0; draw < draws_; ++draw) {
            arrays_["control" + std::to_string(draw) + "_" + std::to_string(place)] =
                shared(random_of_equal_norm(changes_[place], start_->model.d_model, false, random_));
            items_.push_back({place, draw});
        }
}

std::size_t ReplacedOperations::end() const {
    const auto captures = static_cast<std::int64_t>(measures_controls() ? 1 : 1 + layers_.size());
    const std::int64_t numbers =
        prompts_[prompt_].size() * (captures * start_->model.d_model + std::int64_t{start_->model.vocab});
    const std::int64_t rows = std::max<std::int64_t>(bytes_of_one_need / 4 / numbers - 1, 1);
    return std::min(begin_ + static_cast<std::size_t>(rows), items_.size());
}

sdk::Reply ReplacedOperations::next() {
    if (prompt_ == prompts_.size()) return done();
    sdk::Run run;
    run.rows.assign(1 + end() - begin_, prompts_[prompt_]); // the clean one first
    for (std::size_t at = begin_; at < end(); ++at)
        for (std::string& edit : edits(items_[at], 1 + at - begin_))
            run.edits.push_back(std::move(edit));
    run.captures = {"blocks." + std::to_string(start_->model.layers - 1) + ".hook_resid_post"};
    if (measures_controls())
        run.arrays = arrays_;
    else
        for (std::size_t place = 0; place < layers_.size(); ++place)
            run.captures.push_back(written(place));
    run.positions = "all";
    run.loss = true;
    run.logits = true;
    sdk::Need need;
    need.runs = {std::move(run)};
    const double share = static_cast<double>(begin_) / static_cast<double>(items_.size());
    need.progress = (static_cast<double>(prompt_) + (measures_controls() ? 0.5 + share / 2 : share / 2)) /
                    static_cast<double>(prompts_.size());
    return need;
}

ReplacedOperations::Effect ReplacedOperations::measure(const sdk::Answer& answer, int row) const {
    const std::string last = "blocks." + std::to_string(start_->model.layers - 1) + ".hook_resid_post";
    const sdk::View clean = answer.capture(0, 0, last), changed = answer.capture(0, row, last);
    const sdk::View logits = answer.logits(0, 0), other = answer.logits(0, row);
    Effect effect;
    effect.entropy = mean_entropy(answer.row(0, row)) - mean_entropy(answer.row(0, 0));
    effect.loss = answer.row(0, row).at("loss").get<double>() - answer.row(0, 0).at("loss").get<double>();
    const auto share = 1 / static_cast<double>(clean.size(0));
    for (std::int64_t pos = 0; pos < clean.size(0); ++pos) {
        effect.cosine += share * cosine_of(clean[pos], changed[pos]);
        effect.kl += share * divergence(log_probabilities(logits[pos]), log_probabilities(other[pos]));
    }
    return effect;
}

void ReplacedOperations::keep_change(const sdk::Answer& answer, int row, std::size_t place) {
    const sdk::View clean = answer.capture(0, 0, written(place));
    changes_[place] = copy_of(answer.capture(0, row, written(place)));
    std::size_t i = 0;
    for (const float x : clean)
        changes_[place].data[i++] -= x;
}

sdk::Reply ReplacedOperations::step(const sdk::Answer& answer) {
    const bool controls = measures_controls();
    const auto add = [&](Effect& sum, const Effect& one, double share) {
        share /= static_cast<double>(prompts_.size());
        sum.entropy += share * one.entropy;
        sum.loss += share * one.loss;
        sum.kl += share * one.kl;
        sum.cosine += share * one.cosine;
    };
    if (!controls && begin_ == 0)
        add(clean_, {mean_entropy(answer.row(0, 0)), answer.row(0, 0).at("loss").get<double>(), 0, 1}, 1);
    for (std::size_t at = begin_; at < end(); ++at) {
        const Item& item = items_[at];
        const auto row = static_cast<int>(1 + at - begin_);
        const Effect effect = measure(answer, row);
        if (controls)
            add(controls_[item.place], effect, 1.0 / draws_);
        else if (item.place == all_layers)
            add(together_, effect, 1);
        else
            add(effects_[item.place], effect, 1);
        if (!controls && item.place != all_layers) keep_change(answer, row, item.place);
    }
    begin_ = end();
    if (begin_ < items_.size()) return next();
    if (!controls && draws_ > 0) {
        begin_controls();
        return next();
    }
    ++prompt_;
    begin_changes();
    return next();
}

sdk::ResultData ReplacedOperations::curve(const std::string& name, const std::vector<Effect>& of,
                                          double Effect::*field) const {
    auto result = sdk::ResultData::array(name, "series", {layer_axis(layers_, start_->model)});
    for (std::size_t place = 0; place < of.size(); ++place)
        result.data[place] = of[place].*field;
    return result;
}

sdk::Done ReplacedOperations::done() const {
    const std::array<std::pair<const char*, double Effect::*>, 4> fields{{{"entropy", &Effect::entropy},
                                                                          {"loss", &Effect::loss},
                                                                          {"kl", &Effect::kl},
                                                                          {"cosine", &Effect::cosine}}};
    sdk::Done done;
    sdk::Json together = {{"layers", layers_.size()}};
    for (const auto& [name, field] : fields) {
        done.results.push_back(curve(name, effects_, field));
        together[name] = together_.*field;
    }
    for (const auto& [name, field] : fields)
        if (draws_ > 0) done.results.push_back(curve(std::string("control_") + name, controls_, field));
    done.results.push_back(sdk::ResultData::table("together", sdk::Json::array({std::move(together)})));
    done.results.push_back(sdk::ResultData::number("clean_entropy", clean_.entropy));
    done.results.push_back(sdk::ResultData::number("clean_loss", clean_.loss));
    return done;
}

} // namespace vitrine::analysis
