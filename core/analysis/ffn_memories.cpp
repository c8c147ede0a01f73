#include "core/analysis/ffn_memories.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/analysis/budget.h"
#include "core/analysis/effect_results.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

namespace {

constexpr int neurons_at_once = 64; // whose scores of all tokens exist at once
constexpr int context_tokens = 10;

std::string hook_name(int layer) { return "blocks." + std::to_string(layer) + ".mlp.hook_post"; }

} // namespace

std::vector<std::string> value_weights(int layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".";
    return {block + "mlp.W_out", block + "ln2_post.w"};
}

std::vector<double> value_vector(const sdk::ModelFacts& model, const sdk::Answer& answer, int layer,
                                 int neuron) {
    const std::vector<std::string> names = value_weights(layer);
    const sdk::View row = answer.weight(names[0])[neuron];
    std::vector<double> v(row.begin(), row.end());
    if (answer.has_weight(names[1])) {
        const double mean = model.norm == "layer"
                                ? std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size())
                                : 0.0;
        for (std::size_t d = 0; d < v.size(); ++d)
            v[d] = (v[d] - mean) * static_cast<double>(answer.weight(names[1]).data()[d]);
    }
    for (double& entry : v)
        entry *= model.residual_scale;
    return v;
}

sdk::Manifest FfnMemories::manifest() {
    sdk::Manifest manifest("ffn-memories", "MLP neurons as memories");
    return manifest
        .summary(
            "An MLP writes Σ m_i v_i: neuron i, with activation m_i, adds its value vector v_i, a row of "
            "W_out. Its triggers are the positions of the given texts with the largest m_i (gated MLPs: "
            "largest by magnitude; m_i is signed, and a negative one promotes −v_i). Its tokens are those "
            "with the largest scores of v_i through the final norm's weight and the unembedding, without a "
            "scale or biases. `agreement`: the share of neurons whose top token is the token that follows "
            "their strongest trigger; `control`: the same with the trigger of the next neuron.")
        .citation(
            "Geva et al. 2021, Transformer Feed-Forward Layers Are Key-Value Memories; Geva et al. 2022, "
            "Transformer Feed-Forward Layers Build Predictions by Promoting Concepts in the Vocabulary "
            "Space")
        .positions("layer", "all", "layers that are read: all, one or a list")
        .integer("neurons", 10, "neurons listed of each layer: those with the largest ‖m_i v_i‖", 0, 100000)
        .integer("triggers", 3, "triggers listed of each", 1, 1000)
        .integer("top", 5, "tokens listed of each", 1, 1000)
        .coordinates()
        .result("agreement", "series", "layer; share of neurons, 0 to 1")
        .result("control", "series", "layer; share of neurons, 0 to 1")
        .result(
            "memories", "table",
            "layer, neuron, trigger (0 is the strongest), row, pos, id (the token there), next_id (the one "
            "that follows), activation, agrees, context")
        .result("values", "table",
                "layer, neuron, sign (that of the strongest trigger), length (‖v_i‖), rank, id, score");
}

sdk::Reply FfnMemories::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = chosen_layers(start, "layer", layers_)) return *failure;
    most_ = start.integer("neurons");
    examples_ = start.integer("triggers");
    top_ = start.integer("top");
    triggers_.resize(layers_.size() * static_cast<std::size_t>(start.model.d_ff));
    sdk::Axis axis{"layer", static_cast<std::int64_t>(layers_.size())};
    for (const int layer : layers_)
        axis.labels.push_back(std::to_string(layer));
    agreement_ = sdk::ResultData::array("agreement", "series", {axis});
    control_ = sdk::ResultData::array("control", "series", {axis});
    return rows_need();
}

std::vector<FfnMemories::Trigger>& FfnMemories::triggers(std::size_t layer, int neuron) {
    return triggers_[layer * static_cast<std::size_t>(start_->model.d_ff) + static_cast<std::size_t>(neuron)];
}

sdk::Need FfnMemories::rows_need() {
    sdk::Run run;
    for (const int layer : layers_)
        run.captures.push_back(hook_name(layer));
    rows_in_need_ = 0;
    std::int64_t bytes = 0;
    while (next_row_ + rows_in_need_ < static_cast<int>(start_->rows.size()) &&
           (bytes < bytes_of_one_need || rows_in_need_ == 0)) {
        const sdk::Row& row = start_->rows[static_cast<std::size_t>(next_row_ + rows_in_need_)];
        bytes +=
            std::int64_t{4} * row.size() * start_->model.d_ff * static_cast<std::int64_t>(layers_.size());
        run.rows.push_back(row);
        ++rows_in_need_;
    }
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.progress = 0.5 * next_row_ / static_cast<double>(start_->rows.size());
    return need;
}

void FfnMemories::take_triggers(const sdk::Answer& answer) {
    const bool gated = start_->model.gated;
    const auto size = [&](float m) { return gated ? std::abs(m) : m; };
    for (int r = 0; r < rows_in_need_; ++r)
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const sdk::View post = answer.capture(0, r, hook_name(layers_[l]));
            // Behind the last position no token follows that is known.
            for (int pos = 0; pos + 1 < static_cast<int>(post.size(0)); ++pos)
                for (int neuron = 0; neuron < start_->model.d_ff; ++neuron) {
                    auto& list = triggers(l, neuron);
                    const float m = post(pos, neuron);
                    const bool full = list.size() == static_cast<std::size_t>(examples_);
                    if (full && size(m) <= size(list.back().activation)) continue;
                    if (full) list.pop_back();
                    const auto place = std::find_if(list.begin(), list.end(), [&](const Trigger& other) {
                        return size(other.activation) < size(m);
                    });
                    list.insert(place, {next_row_ + r, pos, m});
                }
        }
    next_row_ += rows_in_need_;
}

sdk::Need FfnMemories::layer_need() const {
    sdk::Need need;
    need.weights = value_weights(layers_[at_]);
    need.transient = true;
    need.progress = 0.5 + 0.5 * static_cast<double>(at_) / static_cast<double>(layers_.size());
    return need;
}

sdk::Reply FfnMemories::step(const sdk::Answer& answer) {
    if (next_row_ < static_cast<int>(start_->rows.size())) {
        take_triggers(answer);
        if (next_row_ < static_cast<int>(start_->rows.size())) return rows_need();
        sdk::Need need;
        need.weights = Vocabulary::weights();
        return need;
    }
    if (!vocabulary_) {
        vocabulary_.emplace(start_->model, answer);
        return layer_need();
    }
    if (!read_layer(answer)) return sdk::Failure{"cancelled", "The job was cancelled."};
    if (++at_ < layers_.size()) return layer_need();
    return finish();
}

int FfnMemories::next_token(const Trigger& trigger) const {
    return start_->rows[static_cast<std::size_t>(trigger.row)].ids[static_cast<std::size_t>(trigger.pos) + 1];
}

std::string FfnMemories::context(const Trigger& trigger) const {
    const auto& tokens = start_->rows[static_cast<std::size_t>(trigger.row)].tokens;
    std::string text;
    for (int pos = std::max(0, trigger.pos + 1 - context_tokens); pos <= trigger.pos; ++pos)
        text += tokens[static_cast<std::size_t>(pos)];
    return text;
}

bool FfnMemories::read_layer(const sdk::Answer& answer) {
    const int layer = layers_[at_];
    const int neurons = start_->model.d_ff;
    std::vector<std::vector<double>> v;
    std::vector<double> strength;
    for (int neuron = 0; neuron < neurons; ++neuron) {
        v.push_back(value_vector(start_->model, answer, layer, neuron));
        const auto& list = triggers(at_, neuron);
        strength.push_back(list.empty() ? 0 : std::abs(list.front().activation) * length_of(v.back()));
    }
    std::vector<int> order(static_cast<std::size_t>(neurons));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return strength[static_cast<std::size_t>(a)] > strength[static_cast<std::size_t>(b)];
    });
    order.resize(std::min(order.size(), static_cast<std::size_t>(most_)));
    std::sort(order.begin(), order.end());
    int agree = 0, chance = 0, counted = 0;
    for (int first = 0; first < neurons; first += neurons_at_once) {
        const double share = (static_cast<double>(at_) + static_cast<double>(first) / neurons) /
                             static_cast<double>(layers_.size());
        if (!report(0.5 + 0.5 * share, "reading value vectors")) return false;
        const int count = std::min(neurons_at_once, neurons - first);
        const std::vector<float> scores = vocabulary_->scores({v.begin() + first, v.begin() + first + count});
        for (int i = 0; i < count; ++i) {
            const int neuron = first + i;
            const auto& list = triggers(at_, neuron);
            if (list.empty()) continue;
            const float* own = scores.data() + std::int64_t{i} * vocabulary_->size();
            const double sign = list.front().activation < 0 ? -1 : 1;
            const int token = top_of(own, vocabulary_->size(), 1, sign).front().id;
            ++counted;
            agree += token == next_token(list.front()) ? 1 : 0;
            chance += token == next_token(triggers(at_, (neuron + 1) % neurons).front()) ? 1 : 0;
            if (std::binary_search(order.begin(), order.end(), neuron))
                tell(neuron, length_of(v[static_cast<std::size_t>(neuron)]), own);
        }
    }
    if (counted > 0) {
        agreement_.data[at_] = static_cast<double>(agree) / counted;
        control_.data[at_] = static_cast<double>(chance) / counted;
    }
    return true;
}

void FfnMemories::tell(int neuron, double length, const float* scores) {
    const auto& list = triggers(at_, neuron);
    const double sign = list.front().activation < 0 ? -1 : 1;
    const auto tokens = top_of(scores, vocabulary_->size(), top_, sign);
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Trigger& trigger = list[i];
        const auto& ids = start_->rows[static_cast<std::size_t>(trigger.row)].ids;
        memories_.push_back({{"layer", layers_[at_]},
                             {"neuron", neuron},
                             {"trigger", i},
                             {"row", trigger.row},
                             {"pos", trigger.pos},
                             {"id", ids[static_cast<std::size_t>(trigger.pos)]},
                             {"next_id", next_token(trigger)},
                             {"activation", trigger.activation},
                             {"agrees", tokens.front().id == next_token(trigger)},
                             {"context", context(trigger)}});
    }
    for (std::size_t rank = 0; rank < tokens.size(); ++rank)
        values_.push_back({{"layer", layers_[at_]},
                           {"neuron", neuron},
                           {"sign", sign},
                           {"length", length},
                           {"rank", rank},
                           {"id", tokens[rank].id},
                           {"score", tokens[rank].score}});
}

sdk::Reply FfnMemories::finish() {
    return sdk::Done{{agreement_, control_, sdk::ResultData::table("memories", std::move(memories_)),
                      sdk::ResultData::table("values", std::move(values_))}};
}

sdk::Manifest SubUpdates::manifest() {
    sdk::Manifest manifest("sub-updates", "Sub-updates of the MLPs");
    return manifest
        .summary(
            "At one position, the neurons that write most into the residual stream, ‖m_i v_i‖, layer by "
            "layer, the tokens that m_i v_i promotes (scores through the final norm's weight and the "
            "unembedding, without a scale or biases), and the edit that takes the neuron's activation m_i "
            "away: another number in place of `scale 0` strengthens it or turns it round.")
        .citation(
            "Geva et al. 2022, Transformer Feed-Forward Layers Build Predictions by Promoting Concepts in "
            "the Vocabulary Space")
        .positions("position", -1, "where: one position, a list or all")
        .positions("layer", "all", "layers that are read: all, one or a list")
        .integer("neurons", 5, "neurons listed of each layer and position", 1, 100000)
        .integer("top", 5, "tokens listed of each", 1, 1000)
        .result("updates", "table",
                "row, position, layer, neuron, activation (m_i), length (‖m_i v_i‖), share (of the layer's "
                "sum of "
                "lengths), rank, id, score, edit");
}

sdk::Reply SubUpdates::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = chosen_layers(start, "layer", layers_)) return *failure;
    most_ = start.integer("neurons");
    top_ = start.integer("top");
    sdk::Run run;
    run.rows = start.rows;
    for (const int layer : layers_)
        run.captures.push_back(hook_name(layer));
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        const auto positions = start.positions("position", start.rows[row].size());
        if (!positions)
            return sdk::Failure{"out-of-range", "A position lies outside row " + std::to_string(row) +
                                                    ", which has " + std::to_string(start.rows[row].size()) +
                                                    " tokens: choose another one."};
        for (const int position : *positions)
            places_.push_back({static_cast<int>(row), position, {}});
    }
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.weights = Vocabulary::weights();
    return need;
}

sdk::Need SubUpdates::layer_need() const {
    sdk::Need need;
    need.weights = value_weights(layers_[at_]);
    need.transient = true;
    need.progress = static_cast<double>(at_) / static_cast<double>(layers_.size());
    return need;
}

sdk::Reply SubUpdates::step(const sdk::Answer& answer) {
    if (!vocabulary_) {
        vocabulary_.emplace(start_->model, answer);
        for (Place& place : places_)
            for (const int layer : layers_) {
                const sdk::View post = answer.capture(0, place.row, hook_name(layer))[place.position];
                place.post.emplace_back(post.begin(), post.end());
            }
        return layer_need();
    }
    for (const Place& place : places_)
        read_layer(answer, place);
    if (!report(static_cast<double>(at_) / static_cast<double>(layers_.size()), "reading value vectors"))
        return sdk::Failure{"cancelled", "The job was cancelled."};
    if (++at_ < layers_.size()) return layer_need();
    return sdk::Done{{sdk::ResultData::table("updates", std::move(updates_))}};
}

void SubUpdates::read_layer(const sdk::Answer& answer, const Place& place) {
    const std::vector<float>& post = place.post[at_];
    std::vector<std::vector<double>> update;
    std::vector<double> length;
    for (std::size_t neuron = 0; neuron < post.size(); ++neuron) {
        update.push_back(value_vector(start_->model, answer, layers_[at_], static_cast<int>(neuron)));
        for (double& entry : update.back())
            entry *= static_cast<double>(post[neuron]);
        length.push_back(length_of(update.back()));
    }
    const double all = std::accumulate(length.begin(), length.end(), 0.0);
    std::vector<std::size_t> order(post.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return length[a] > length[b]; });
    order.resize(std::min(order.size(), static_cast<std::size_t>(most_)));
    std::vector<std::vector<double>> chosen;
    for (const std::size_t neuron : order)
        chosen.push_back(update[neuron]);
    const std::vector<float> scores = vocabulary_->scores(chosen);
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::string edit = hook_name(layers_[at_]) + " pos=" + std::to_string(place.position) +
                                 " channel=" + std::to_string(order[i]) + " scale 0";
        int rank = 0;
        const float* own = scores.data() + i * static_cast<std::size_t>(vocabulary_->size());
        for (const Scored& token : top_of(own, vocabulary_->size(), top_))
            updates_.push_back({{"row", place.row},
                                {"position", place.position},
                                {"layer", layers_[at_]},
                                {"neuron", order[i]},
                                {"activation", post[order[i]]},
                                {"length", length[order[i]]},
                                {"share", all > 0 ? sdk::Json(length[order[i]] / all) : sdk::Json()},
                                {"rank", rank++},
                                {"id", token.id},
                                {"score", token.score},
                                {"edit", edit}});
    }
}

} // namespace vitrine::analysis
