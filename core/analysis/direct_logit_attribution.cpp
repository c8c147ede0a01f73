#include "core/analysis/direct_logit_attribution.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/budget.h"
#include "core/analysis/changed_prompts.h"
#include "core/analysis/unembed.h"

namespace vitrine::analysis {

namespace {

constexpr std::int64_t most_bytes = std::int64_t{1} << 30; // of what is kept of all places

} // namespace

sdk::Manifest DirectLogitAttribution::manifest() {
    return sdk::Manifest("direct-logit-attribution", "Direct logit attribution")
        .summary(
            "What each part of the model adds to a logit, or to the difference of two: the parts of the "
            "residual stream times the unembedding's columns, with every norm on the way held at the scale "
            "that it had at that position, so that the parts sum to the logit. LayerNorm's mean is taken off "
            "each part. `bias` is what no part carries: the final norm's bias through the unembedding and "
            "the "
            "unembedding's own; by head also every output bias of attention (b_O) and the bias of a norm "
            "behind it; where norms stand on the sums, also theirs. An MLP's output bias belongs to the MLP. "
            "A logit scale is in every part; a soft-cap is not: parts sum to the logit before it. `residual` "
            "is what is left between the sum and the model's own logit.")
        .citation("nostalgebraist 2020, interpreting GPT: the logit lens; Elhage et al. 2021, A Mathematical "
                  "Framework for Transformer Circuits")
        .tokens("token", "the token whose logit is taken apart; several: the mean of their logits; default: "
                         "the model's own most likely one at each position")
        .tokens("minus", "its mean logit is taken off: parts then sum to a logit difference")
        .positions("position", -1, "positions whose next-token logit is read: one, a list or all")
        .choice("split", {"component", "head", "neuron"},
                "component: attention and MLP of every layer; head: heads in place of attention; neuron: "
                "components, and the neurons that add most as a table")
        .integer("top", 20, "neurons listed for each position (split=neuron)", 1, 100000)
        .coordinates()
        .result("attribution", "series",
                "[row ×] component [× position], logits; labels embed, pos_embed, A0, M0, …, bias (by head: "
                "L0H0 … in place of A0)")
        .result("residual", "number",
                "sum of the parts − the model's logit (before a soft-cap), logits; of several rows or "
                "positions the one largest by magnitude")
        .result("logits", "table",
                "row, position, id, minus_id, logit (as the model gives it), before_cap (where there is a "
                "soft-cap), sum, residual")
        .result("head_attribution", "matrix", "[row ×] layer × head [× position], logits (split=head)")
        .result("neurons", "table",
                "row, position, layer, neuron, activation, attribution in logits (split=neuron)")
        .result("conditions", "text", "what is held, scaled, capped");
}

bool DirectLogitAttribution::norms_branches() const {
    const std::string& place = start_->model.norm_place;
    return place == "branch_output" || place == "sandwich";
}

sdk::Reply DirectLogitAttribution::start(const sdk::Start& start) {
    start_ = &start;
    const std::string split = start.text("split");
    split_ = split == "head" ? Split::head : split == "neuron" ? Split::neuron : Split::component;
    top_ = start.integer("top");
    for (const char* name : {"token", "minus"})
        if (auto failure = check_tokens(start.model, start.tokens(name))) return *failure;
    if (split_ == Split::head && start.model.heads == 0)
        return sdk::Failure{"unsupported", "This model has no attention heads: use split=component."};
    if (auto failure = read_positions()) return *failure;
    name_parts();
    return next_rows();
}

std::optional<sdk::Failure> DirectLogitAttribution::read_positions() {
    const sdk::ModelFacts& model = start_->model;
    std::int64_t bytes = 0;
    for (std::size_t row = 0; row < start_->rows.size(); ++row) {
        auto positions = start_->positions("position", start_->rows[row].size());
        if (!positions)
            return sdk::Failure{"out-of-range", "A position lies outside row " + std::to_string(row) +
                                                    ", which has " +
                                                    std::to_string(start_->rows[row].size()) +
                                                    " tokens: choose another one."};
        const auto count = static_cast<std::int64_t>(positions->size());
        most_positions_ = std::max(most_positions_, count);
        bytes += 4 * count * model.layers *
                 (2 * model.d_model + (split_ == Split::head     ? model.heads * model.d_head
                                       : split_ == Split::neuron ? model.d_ff
                                                                 : 0));
        positions_.push_back(std::move(*positions));
    }
    if (bytes > most_bytes)
        return sdk::Failure{"too-large", "These are too many positions to be taken apart at once: ask for "
                                         "fewer positions or fewer rows."};
    return std::nullopt;
}

void DirectLogitAttribution::name_parts() {
    const sdk::ModelFacts& model = start_->model;
    labels_.emplace_back("embed");
    if (model.positional == "learned") labels_.emplace_back("pos_embed");
    first_part_ = labels_.size();
    for (int layer = 0; layer < model.layers; ++layer) {
        const std::string number = std::to_string(layer);
        if (split_ == Split::head)
            for (int head = 0; head < model.heads; ++head)
                labels_.push_back("L" + number + "H" + std::to_string(head));
        else
            labels_.push_back("A" + number);
        labels_.push_back("M" + number);
    }
    labels_.emplace_back("bias");
}

std::size_t DirectLogitAttribution::part_of_layer(int layer) const {
    const int parts = split_ == Split::head ? start_->model.heads + 1 : 2;
    return first_part_ + static_cast<std::size_t>(layer) * static_cast<std::size_t>(parts);
}

sdk::Reply DirectLogitAttribution::next_rows() {
    const sdk::ModelFacts& model = start_->model;
    const auto rows = static_cast<int>(start_->rows.size());
    sdk::Run run;
    run.captures = {"hook_embed", "blocks.*.hook_attn_out", "blocks.*.hook_mlp_out"};
    std::int64_t width = (2 * model.layers + 1) * model.d_model;
    if (model.positional == "learned") run.captures.emplace_back("hook_pos_embed");
    if (model.final_norm) run.captures.emplace_back("ln_final.hook_scale");
    if (norms_sums())
        for (const char* norm : {"ln1", "ln2"})
            run.captures.push_back("blocks.*." + std::string(norm) + ".hook_scale");
    if (norms_branches() && split_ != Split::component)
        run.captures.push_back("blocks.*." + std::string(split_ == Split::head ? "ln1" : "ln2") +
                               "_post.hook_scale");
    if (split_ == Split::head) {
        run.captures.emplace_back("blocks.*.attn.hook_z");
        width += std::int64_t{model.layers} * model.heads * model.d_head;
    } else if (split_ == Split::neuron) {
        run.captures.emplace_back("blocks.*.mlp.hook_post");
        width += std::int64_t{model.layers} * model.d_ff;
    }
    if (model.logit_cap != 0) run.captures.emplace_back("unembed.hook_in");
    std::int64_t bytes = 0;
    rows_in_need_ = 0;
    while (next_row_ + rows_in_need_ < rows && (bytes < bytes_of_one_need || rows_in_need_ == 0)) {
        const auto row = static_cast<std::size_t>(next_row_ + rows_in_need_);
        const auto read = static_cast<std::int64_t>(positions_[row].size());
        bytes += 4 * (start_->rows[row].size() * width + read * model.vocab);
        run.rows.push_back(start_->rows[row]);
        ++rows_in_need_;
    }
    const sdk::Json& positions = start_->parameters.at("position");
    run.positions = positions.is_number() ? sdk::Json::array({positions}) : positions;
    run.logits = true;
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.weights = Unembedded::weights();
    need.progress = static_cast<double>(next_row_) / (2.0 * rows);
    return need;
}

sdk::Reply DirectLogitAttribution::step(const sdk::Answer& answer) {
    if (layer_ < 0) {
        if (!unembedded_) unembedded_.emplace(start_->model, answer);
        for (int r = 0; r < rows_in_need_; ++r)
            for (int i = 0; i < static_cast<int>(positions_[static_cast<std::size_t>(next_row_ + r)].size());
                 ++i)
                places_.push_back(place_of(answer, r, next_row_ + r, i));
        next_row_ += rows_in_need_;
        if (next_row_ < static_cast<int>(start_->rows.size())) return next_rows();
        layer_ = start_->model.layers - 1;
        if (needs_weights()) return next_layer();
    }
    do {
        for (Place& place : places_)
            read_layer(answer, place);
        --layer_;
        if (!report(0.5 + 0.5 * (start_->model.layers - 1 - layer_) / start_->model.layers,
                    "taking layers apart"))
            return sdk::Failure{"cancelled", "The job was cancelled."};
    } while (layer_ >= 0 && !needs_weights());
    return layer_ >= 0 ? next_layer() : finish();
}

DirectLogitAttribution::Place DirectLogitAttribution::place_of(const sdk::Answer& answer, int row_in_run,
                                                               int row, int index) const {
    const sdk::ModelFacts& model = start_->model;
    Place place;
    place.row = row;
    place.index = index;
    place.position = positions_[static_cast<std::size_t>(row)][static_cast<std::size_t>(index)];
    const sdk::View logits = answer.logits(0, row_in_run)[index];
    const auto tokens = [&](const char* parameter) {
        const std::vector<std::int32_t> ids = start_->tokens(parameter);
        return std::vector<int>(ids.begin(), ids.end());
    };
    place.plus = tokens("token");
    place.minus = tokens("minus");
    if (place.plus.empty()) place.plus = largest(logits.data(), model.vocab, 1);
    for (const int token : place.plus)
        place.logit += static_cast<double>(logits(token)) / static_cast<double>(place.plus.size());
    for (const int token : place.minus)
        place.logit -= static_cast<double>(logits(token)) / static_cast<double>(place.minus.size());
    const auto keep = [&](const std::string& hook) {
        if (!answer.has_capture(0, row_in_run, hook)) return;
        const sdk::View there = answer.capture(0, row_in_run, hook)[place.position];
        place.seen[hook].assign(there.begin(), there.end());
    };
    for (const char* hook : {"hook_embed", "hook_pos_embed", "ln_final.hook_scale"})
        keep(hook);
    for (int layer = 0; layer < model.layers; ++layer)
        for (const char* hook :
             {"hook_attn_out", "hook_mlp_out", "attn.hook_z", "mlp.hook_post", "ln1.hook_scale",
              "ln2.hook_scale", "ln1_post.hook_scale", "ln2_post.hook_scale"})
            keep("blocks." + std::to_string(layer) + "." + hook);
    place.direction = unembedded_->of(place.plus, place.minus);
    place.before_cap = place.logit;
    if (model.logit_cap != 0)
        place.before_cap = place.direction.bias +
                           dot(answer.capture(0, row_in_run, "unembed.hook_in")[place.position].data(),
                               place.direction.vector);
    if (model.final_norm)
        through_norm(answer, "ln_final.", centred(), place.seen.at("ln_final.hook_scale").front(),
                     place.direction);
    place.parts.assign(labels_.size(), 0.0);
    return place;
}

bool DirectLogitAttribution::needs_weights() const { return split_ != Split::component || norms_sums(); }

sdk::Reply DirectLogitAttribution::next_layer() {
    sdk::Need need;
    std::vector<std::string> names;
    if (norms_sums()) names = {"ln1.w", "ln1.b", "ln2.w", "ln2.b"};
    if (split_ == Split::head)
        names.insert(names.end(), {"attn.W_O", "attn.b_O", "ln1_post.w", "ln1_post.b"});
    if (split_ == Split::neuron) names.insert(names.end(), {"mlp.W_out", "ln2_post.w", "ln2_post.b"});
    for (const std::string& name : names)
        need.weights.push_back(block() + name);
    need.transient = true;
    need.progress = 0.5 + 0.5 * (start_->model.layers - 1 - layer_) / start_->model.layers;
    return need;
}

/// From what is added to the residual stream to what the branch itself gives.
Direction DirectLogitAttribution::behind_branch(const sdk::Answer& answer, const Place& place,
                                                const char* norm) const {
    Direction direction{place.direction.vector, 0};
    scale_by(start_->model.residual_scale, direction);
    if (norms_branches())
        through_norm(answer, block() + norm + ".", centred(),
                     place.seen.at(block() + norm + ".hook_scale").front(), direction);
    return direction;
}

void DirectLogitAttribution::read_layer(const sdk::Answer& answer, Place& place) const {
    const std::size_t part = part_of_layer(layer_);
    const std::size_t mlp = part_of_layer(layer_ + 1) - 1;
    const auto past_sum = [&](const char* norm) {
        if (norms_sums())
            through_norm(answer, block() + norm + ".", centred(),
                         place.seen.at(block() + norm + ".hook_scale").front(), place.direction);
    };
    past_sum("ln2");
    place.parts[mlp] = dot(place.seen.at(block() + "hook_mlp_out").data(), place.direction.vector);
    if (split_ == Split::neuron) read_neurons(answer, place);
    past_sum("ln1");
    if (split_ == Split::head)
        read_heads(answer, place);
    else
        place.parts[part] = dot(place.seen.at(block() + "hook_attn_out").data(), place.direction.vector);
}

void DirectLogitAttribution::read_heads(const sdk::Answer& answer, Place& place) const {
    const sdk::ModelFacts& model = start_->model;
    const Direction direction = behind_branch(answer, place, "ln1_post");
    const sdk::View output = answer.weight(block() + "attn.W_O");
    const std::vector<float>& z = place.seen.at(block() + "attn.hook_z");
    place.bias += direction.bias;
    if (answer.has_weight(block() + "attn.b_O"))
        place.bias += dot(answer.weight(block() + "attn.b_O").data(), direction.vector);
    for (std::size_t i = 0; i < z.size(); ++i)
        place.parts[part_of_layer(layer_) + i / static_cast<std::size_t>(model.d_head)] +=
            static_cast<double>(z[i]) * dot(output[static_cast<std::int64_t>(i)].data(), direction.vector);
}

void DirectLogitAttribution::read_neurons(const sdk::Answer& answer, Place& place) const {
    const Direction direction = behind_branch(answer, place, "ln2_post");
    const sdk::View output = answer.weight(block() + "mlp.W_out");
    const std::vector<float>& post = place.seen.at(block() + "mlp.hook_post");
    std::vector<double> values(post.size());
    std::vector<std::size_t> order(post.size());
    for (std::size_t i = 0; i < post.size(); ++i) {
        order[i] = i;
        values[i] =
            static_cast<double>(post[i]) * dot(output[static_cast<std::int64_t>(i)].data(), direction.vector);
    }
    const std::size_t most = std::min(static_cast<std::size_t>(top_), order.size());
    std::partial_sort(
        order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(),
        [&](std::size_t a, std::size_t b) { return std::abs(values[a]) > std::abs(values[b]); });
    for (std::size_t i = 0; i < most; ++i)
        place.neurons.push_back({{"row", place.row},
                                 {"position", place.position},
                                 {"layer", layer_},
                                 {"neuron", order[i]},
                                 {"activation", post[order[i]]},
                                 {"attribution", values[order[i]]}});
    // The largest of the layers read so far.
    auto& list = place.neurons.get_ref<sdk::Json::array_t&>();
    std::stable_sort(list.begin(), list.end(), [](const sdk::Json& a, const sdk::Json& b) {
        return std::abs(a["attribution"].get<double>()) > std::abs(b["attribution"].get<double>());
    });
    if (list.size() > static_cast<std::size_t>(top_)) list.resize(static_cast<std::size_t>(top_));
}

std::string DirectLogitAttribution::conditions() const {
    const sdk::ModelFacts& model = start_->model;
    std::string text = "Coordinates: " + start_->text("coordinates") + ". ";
    text += model.final_norm ? "The final norm is held at its scale at each position"
                             : "The model has no final norm";
    if (norms_sums()) text += "; so are the norms on the sums of every layer, which later parts pass through";
    if (norms_branches() && split_ != Split::component)
        text += "; so is the norm behind each branch, by which its parts are divided";
    if (model.logit_scale != 1)
        text += "; logits are scaled by " + sdk::Json(model.logit_scale).dump() + ", and so is every part";
    if (model.logit_cap != 0)
        text += "; logits are capped at " + sdk::Json(model.logit_cap).dump() +
                " by a tanh: parts sum to the logit before it";
    return text + ".";
}

sdk::Reply DirectLogitAttribution::finish() {
    const sdk::ModelFacts& model = start_->model;
    const auto rows = static_cast<std::int64_t>(start_->rows.size());
    std::vector<int> lengths;
    sdk::Axis position{"position", most_positions_};
    for (const auto& places : positions_) {
        lengths.push_back(static_cast<int>(places.size()));
        position.ragged = position.ragged || lengths.back() != most_positions_;
    }
    if (rows == 1 && start_->parameters.at("position") == "all")
        position.labels = start_->rows.front().tokens;
    else if (rows == 1)
        for (const int place : positions_.front())
            position.labels.push_back(std::to_string(place));
    if (!position.ragged) lengths.clear();
    const auto result = [&](const std::string& name, std::vector<sdk::Axis> axes, bool matrix) {
        if (rows > 1) axes.insert(axes.begin(), {"row", rows});
        if (most_positions_ > 1) axes.push_back(position);
        const char* kind = matrix || axes.size() > 1 ? "matrix" : "series";
        auto made = sdk::ResultData::array(name, kind, std::move(axes));
        made.lengths = lengths;
        return made;
    };
    const auto count = static_cast<std::int64_t>(labels_.size());
    auto attribution = result("attribution", {{"component", count, labels_}}, false);
    auto heads = result("head_attribution", {{"layer", model.layers}, {"head", model.heads}}, true);
    double residual = 0;
    sdk::Json logits = sdk::Json::array();
    sdk::Json neurons = sdk::Json::array();
    for (Place& place : places_) {
        place.parts.front() = dot(place.seen.at("hook_embed").data(), place.direction.vector);
        if (first_part_ == 2)
            place.parts[1] = dot(place.seen.at("hook_pos_embed").data(), place.direction.vector);
        place.parts.back() = place.bias + place.direction.bias;
        double sum = 0;
        for (std::size_t part = 0; part < place.parts.size(); ++part) {
            sum += place.parts[part];
            const auto at =
                (std::int64_t{place.row} * count + static_cast<std::int64_t>(part)) * most_positions_ +
                place.index;
            attribution.data[static_cast<std::size_t>(at)] = place.parts[part];
        }
        for (int layer = 0; split_ == Split::head && layer < model.layers; ++layer)
            for (int head = 0; head < model.heads; ++head) {
                const auto line = (std::int64_t{place.row} * model.layers + layer) * model.heads + head;
                heads.data[static_cast<std::size_t>(line * most_positions_ + place.index)] =
                    place.parts[part_of_layer(layer) + static_cast<std::size_t>(head)];
            }
        const double left = sum - place.before_cap;
        if (std::abs(left) >= std::abs(residual)) residual = left;
        sdk::Json line = {{"row", place.row}, {"position", place.position}, {"id", place.plus.front()}};
        if (place.plus.size() > 1) line["ids"] = place.plus;
        if (!place.minus.empty()) line["minus_id"] = place.minus.front();
        if (place.minus.size() > 1) line["minus_ids"] = place.minus;
        line["logit"] = place.logit;
        if (model.logit_cap != 0) line["before_cap"] = place.before_cap;
        line["sum"] = sum;
        line["residual"] = left;
        logits.push_back(std::move(line));
        for (sdk::Json& neuron : place.neurons)
            neurons.push_back(std::move(neuron));
    }
    sdk::Done done;
    done.results = {attribution, sdk::ResultData::number("residual", residual),
                    sdk::ResultData::table("logits", std::move(logits))};
    if (split_ == Split::head) done.results.push_back(std::move(heads));
    if (split_ == Split::neuron)
        done.results.push_back(sdk::ResultData::table("neurons", std::move(neurons)));
    done.results.push_back(sdk::ResultData::text("conditions", conditions()));
    return done;
}

} // namespace vitrine::analysis
