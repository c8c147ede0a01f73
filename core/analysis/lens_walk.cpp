#include "core/analysis/lens_walk.h"

#include <algorithm>

#include "core/analysis/budget.h"
#include "core/analysis/float_product.h"

namespace vitrine::analysis {

namespace {

constexpr int places_at_once = 64; // layers × positions whose logits exist at once

std::string hook_name(int layer, const std::string& hook) {
    return "blocks." + std::to_string(layer) + ".hook_" + hook;
}

} // namespace

sdk::Manifest& LensWalk::add_parameters(sdk::Manifest& manifest, const sdk::Json& position) {
    return manifest
        .choice(
            "lens", {"logit", "tuned"},
            "logit: the final norm, then the unembedding; tuned: a trained translator of each layer before "
            "them, x + T(x)")
        .tuned_lens("translators", "lens=tuned: the folder with params.pt and config.json of the package "
                                   "tuned-lens, or one of the two files")
        .choice("hook", {"resid_post", "resid_mid", "resid_pre"},
                "where in each layer the residual stream is read")
        .positions("position", position, "positions that are read: all, one, or a list");
}

sdk::Reply LensWalk::start(const sdk::Start& start) {
    start_ = &start;
    hook_ = start.text("hook");
    tuned_ = start.text("lens") == "tuned";
    if (auto failure = check_lens()) return *failure;
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        auto positions = start.positions("position", start.rows[row].size());
        if (!positions)
            return sdk::Failure{"out-of-range", "A position lies outside row " + std::to_string(row) +
                                                    ", which has " + std::to_string(start.rows[row].size()) +
                                                    " tokens: choose another one."};
        most_positions_ = std::max(most_positions_, static_cast<std::int64_t>(positions->size()));
        positions_.push_back(std::move(*positions));
    }
    if (auto failure = begin(start)) return *failure;
    rows_in_need_ = 1;
    return need();
}

std::optional<sdk::Failure> LensWalk::check_lens() const {
    const bool given = start_->given("translators");
    if (given && !tuned_)
        return sdk::Failure{"usage", "translators belong to lens=tuned: set it, or leave them out."};
    if (!tuned_) return std::nullopt;
    if (!given)
        return sdk::Failure{"unsupported",
                            "A tuned lens needs its trained translators: name their folder with "
                            "translators=FOLDER (params.pt and config.json)."};
    if (hook_ == "resid_mid")
        return sdk::Failure{"unsupported", "A tuned lens has translators for the residual stream between "
                                           "blocks, none for its middle: use hook=resid_post or resid_pre."};
    if (start_->parameters.value("coordinates", "raw") == "folded")
        return sdk::Failure{"unsupported", "A tuned lens was trained on the residual stream as the model has "
                                           "it: use coordinates=raw."};
    return std::nullopt;
}

/// The translator of package tuned-lens for what stands before block I has the number I, so what block L
/// writes is read by number L + 1.
int LensWalk::translator(int layer) const { return hook_ == "resid_pre" ? layer : layer + 1; }

sdk::Need LensWalk::need() const {
    sdk::Run run;
    run.rows.assign(start_->rows.begin() + next_row_, start_->rows.begin() + next_row_ + rows_in_need_);
    for (int layer = 0; layer < start_->model.layers; ++layer)
        run.captures.push_back(hook_name(layer, hook_));
    const sdk::Json& positions = start_->parameters.at("position");
    run.positions = positions.is_number() ? sdk::Json::array({positions}) : positions;
    run.logits = true;
    sdk::Need need;
    need.runs.push_back(std::move(run));
    need.weights = Unembedding::weights();
    for (int layer = 0; tuned_ && layer < start_->model.layers; ++layer)
        for (const char* part : {".W", ".b"})
            need.weights.push_back("lens." + std::to_string(layer) + part);
    need.progress = static_cast<double>(next_row_) / static_cast<double>(start_->rows.size());
    return need;
}

sdk::Reply LensWalk::step(const sdk::Answer& answer) {
    if (!unembedding_) unembedding_.emplace(start_->model, answer);
    for (int r = 0; r < rows_in_need_; ++r)
        if (!read_row(answer, next_row_ + r, r)) return sdk::Failure{"cancelled", "The job was cancelled."};
    next_row_ += rows_in_need_;
    const auto rows = static_cast<int>(start_->rows.size());
    if (next_row_ == rows) return finish();
    rows_in_need_ = 0;
    std::int64_t bytes = 0;
    while (next_row_ + rows_in_need_ < rows && (bytes < bytes_of_one_need || rows_in_need_ == 0)) {
        const auto row = static_cast<std::size_t>(next_row_ + rows_in_need_);
        bytes += 4 * (std::int64_t{start_->rows[row].size()} * start_->model.layers * start_->model.d_model +
                      static_cast<std::int64_t>(positions_[row].size()) * unembedding_->vocab());
        ++rows_in_need_;
    }
    return need();
}

/// x + x · W + b of `count` rows.
void LensWalk::translate(const sdk::Answer& answer, int layer, int count, std::vector<float>& x) const {
    const std::string name = "lens." + std::to_string(translator(layer));
    const int width = start_->model.d_model;
    std::vector<float> moved(x.size());
    float_product(x.data(), count, width, answer.weight(name + ".W").data(), width, moved.data());
    const bool biased = answer.has_weight(name + ".b");
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] += moved[i];
        if (biased) x[i] += answer.weight(name + ".b").data()[i % static_cast<std::size_t>(width)];
    }
}

// False once the user has cancelled.
bool LensWalk::read_row(const sdk::Answer& answer, int row, int row_in_run) {
    const int layers = start_->model.layers;
    // After the last layer the lens is the model itself.
    const int read_layers = hook_ == "resid_post" ? layers - 1 : layers;
    const int vocab = unembedding_->vocab();
    const std::vector<int>& places = positions(row);
    const sdk::View final_logits = answer.logits(0, row_in_run);
    const auto total = static_cast<int>(places.size());
    const int group = std::max(1, places_at_once / layers);
    for (int first = 0; first < total; first += group) {
        const double share =
            (row + static_cast<double>(first) / total) / static_cast<double>(start_->rows.size());
        if (!report(share, "reading the residual stream")) return false;
        const int count = std::min(group, total - first);
        std::vector<float> normed;
        for (int layer = 0; layer < read_layers; ++layer) {
            const sdk::View stream = answer.capture(0, row_in_run, hook_name(layer, hook_));
            std::vector<float> read;
            for (int i = 0; i < count; ++i) {
                const sdk::View x = stream[places[static_cast<std::size_t>(first + i)]];
                read.insert(read.end(), x.begin(), x.end());
            }
            if (tuned_) translate(answer, layer, count, read);
            for (int i = 0; i < count; ++i)
                unembedding_->normalise(read.data() + std::ptrdiff_t{i} * start_->model.d_model, normed);
        }
        const std::vector<float> read = unembedding_->logits(normed, read_layers * count);
        for (int i = 0; i < count; ++i) {
            const float* own = final_logits[first + i].data();
            const Distribution final = distribution(own, vocab);
            for (int layer = 0; layer < layers; ++layer) {
                const bool is_final = layer >= read_layers;
                const float* logits =
                    is_final ? own : read.data() + (std::int64_t{layer} * count + i) * vocab;
                visit({row, layer, first + i, places[static_cast<std::size_t>(first + i)], logits,
                       is_final ? final : distribution(logits, vocab), own, final});
            }
        }
    }
    return true;
}

sdk::ResultData LensWalk::by_layer(const std::string& name, std::vector<sdk::Axis> leading) const {
    std::vector<sdk::Axis> axes;
    const auto rows = static_cast<std::int64_t>(start_->rows.size());
    if (rows > 1) axes.push_back({"row", rows});
    axes.insert(axes.end(), leading.begin(), leading.end());
    axes.push_back({"layer", start_->model.layers});
    std::vector<int> lengths;
    if (most_positions_ > 1) {
        sdk::Axis axis{"position", most_positions_};
        for (const auto& places : positions_) {
            lengths.push_back(static_cast<int>(places.size()));
            axis.ragged = axis.ragged || lengths.back() != most_positions_;
        }
        // Every position in order: the tokens themselves are the labels, as wherever an axis is over tokens.
        if (rows == 1 && start_->parameters.at("position") == "all")
            axis.labels = start_->rows.front().tokens;
        else if (rows == 1)
            for (const int position : positions_.front())
                axis.labels.push_back(std::to_string(position));
        if (!axis.ragged) lengths.clear();
        axes.push_back(std::move(axis));
    }
    const std::string kind = axes.size() > 1 ? "matrix" : "series";
    auto result = sdk::ResultData::array(name, kind, std::move(axes));
    result.lengths = std::move(lengths);
    return result;
}

std::size_t LensWalk::offset(const Place& place, int leading, int leading_size) const {
    const std::int64_t line =
        (std::int64_t{place.row} * leading_size + leading) * start_->model.layers + place.layer;
    return static_cast<std::size_t>(line * most_positions_ + place.index);
}

} // namespace vitrine::analysis
