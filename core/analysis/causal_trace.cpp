#include "core/analysis/causal_trace.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/analysis/axes.h"
#include "core/analysis/control_vectors.h"
#include "core/analysis/pairs.h"
#include "core/analysis/statistics.h"

namespace vitrine::analysis {

sdk::Manifest CausalTrace::manifest() {
    sdk::Manifest manifest("causal-trace", "Causal tracing: which states bring the answer back");
    manifest
        .summary("The prompt is corrupted, and the state of one layer and position is restored to its clean "
                 "value: indirect effect = metric restored − metric corrupted. replacement: other tokens, "
                 "pairs of prompts, clean first, corrupted second; noise: Gaussian noise on the embeddings "
                 "of the subject, positions `span`, mean over draws, as published. attn_out and mlp_out "
                 "are restored in a window of layers around each, as published; resid_post in one.")
        .citation("Meng et al. 2022 (ROME); Zhang & Nanda 2023 (replacement)")
        .choice("corruption", {"replacement", "noise"}, "how the answer is taken away")
        .choice("site", {"resid_post", "mlp_out", "attn_out"}, "what is restored")
        .positions("span", nullptr, "of noise: positions of the subject, such as 1:4; negative from the end")
        .number("sigma", nullptr,
                "of noise: its standard deviation; without: three times that of the prompts' embeddings", 0)
        .integer("draws", 10, "of noise: how often it is drawn", 1, 1000)
        .integer("window", 10, "layers restored together at mlp_out and attn_out", 1)
        .integer("seed", 0, "of noise", 0);
    Metric::declare(manifest, {{"by-corruption", "logit-diff for replacement, prob for noise"}});
    return manifest.result("effect", "matrix", "metric restored − metric corrupted, layer × position")
        .result("clean", "series", "the metric of the clean run, by row")
        .result("corrupted", "series",
                "the metric of the corrupted run, by row; of noise the mean over draws")
        .result("span", "table", "the tokens that were corrupted")
        .result("note", "text", "corruption, sigma, draws, seed, window and metric");
}

std::optional<sdk::Failure> CausalTrace::choose_spans() {
    if (!start_->given("span"))
        return sdk::Failure{"usage", "corruption=noise needs the positions of the subject: give span=1:4 or "
                                     "the like."};
    for (std::size_t row = 0; row < clean_rows_.size(); ++row) {
        auto span = start_->positions("span", clean_rows_[row].size());
        if (!span)
            return sdk::Failure{"out-of-range", "The span lies outside row " + std::to_string(row) +
                                                    ", which has " + std::to_string(clean_rows_[row].size()) +
                                                    " tokens."};
        spans_.push_back(std::move(*span));
    }
    return std::nullopt;
}

std::optional<sdk::Failure> CausalTrace::choose() {
    noise_ = start_->text("corruption") == "noise";
    site_ = start_->text("site");
    window_ = site_ == "resid_post" ? 1 : start_->integer("window");
    random_.seed(static_cast<std::uint64_t>(start_->integer("seed")));
    if (noise_) {
        clean_rows_ = uncorrupted(start_->rows);
        draws_ = start_->integer("draws");
        sigma_ = start_->given("sigma") ? start_->number("sigma") : 0;
        phase_ = start_->given("sigma") ? Phase::captures : Phase::deviation;
        if (auto failure = choose_spans()) return failure;
    } else {
        Pairs pairs;
        if (auto failure = read_pairs(start_->rows, pairs)) return failure;
        clean_rows_ = pairs.clean;
        corrupted_rows_ = pairs.corrupted;
        for (std::size_t row = 0; row < clean_rows_.size(); ++row) {
            spans_.emplace_back();
            for (int pos = 0; pos < clean_rows_[row].size(); ++pos)
                if (clean_rows_[row].ids[static_cast<std::size_t>(pos)] !=
                    corrupted_rows_[row].ids[static_cast<std::size_t>(pos)])
                    spans_.back().push_back(pos);
        }
    }
    if (start_->text("metric") != "by-corruption") return metric_.read(*start_, clean_rows_);
    return metric_.read(*start_, clean_rows_, noise_ ? "prob" : "logit-diff");
}

sdk::Reply CausalTrace::start(const sdk::Start& start) {
    start_ = &start;
    if (auto failure = choose()) return *failure;
    return next();
}

std::string CausalTrace::hook(int layer) const {
    return "blocks." + std::to_string(layer) + ".hook_" + site_;
}

sdk::Reply CausalTrace::next() {
    if (row_ == clean_rows_.size()) return done();
    const double one = 1 / static_cast<double>(clean_rows_.size());
    sdk::Need need;
    need.progress = static_cast<double>(row_) * one;
    if (phase_ == Phase::sweep) {
        need.runs = {sweep_.run()};
        need.progress += sweep_.share() * one;
        return need;
    }
    sdk::Run run;
    run.positions = sdk::Json::array();
    if (phase_ == Phase::deviation) {
        run.rows = clean_rows_;
        run.captures = {"hook_embed"};
    } else {
        run.rows = {clean_rows_[row_]};
        for (int layer = 0; layer < start_->model.layers; ++layer)
            run.captures.push_back(hook(layer));
    }
    need.runs = {std::move(run)};
    return need;
}

sdk::Reply CausalTrace::step(const sdk::Answer& answer) {
    if (phase_ == Phase::deviation) {
        measure_embeddings(answer);
    } else if (phase_ == Phase::captures) {
        begin_sweep(answer);
    } else {
        sweep_.take(answer);
        if (sweep_.done()) finish_row();
    }
    return next();
}

void CausalTrace::measure_embeddings(const sdk::Answer& answer) {
    std::vector<double> numbers;
    for (std::size_t row = 0; row < clean_rows_.size(); ++row)
        for (const float x : answer.capture(0, static_cast<int>(row), "hook_embed"))
            numbers.push_back(static_cast<double>(x));
    sigma_ = 3 * deviation_of(numbers);
    phase_ = Phase::captures;
}

std::vector<SweepItem> CausalTrace::items(int base, const std::vector<RowEdit>& corruption) const {
    const int layers = start_->model.layers;
    std::vector<SweepItem> items;
    for (int layer = 0; layer < layers; ++layer)
        for (int pos = 0; pos < clean_rows_[row_].size(); ++pos) {
            // The window of the published code: half of it before, the larger half from this layer on.
            const int first = std::max(0, layer - window_ / 2);
            const int last = std::min(layers, layer + (window_ + 1) / 2);
            SweepItem item{base, first, corruption};
            for (int l = first; l < last; ++l)
                item.edits.push_back(
                    {hook(l), "pos=" + std::to_string(pos) + " set @value" + std::to_string(l)});
            items.push_back(std::move(item));
        }
    return items;
}

void CausalTrace::begin_sweep(const sdk::Answer& captured) {
    phase_ = Phase::sweep;
    const sdk::Row& clean = clean_rows_[row_];
    sdk::NamedArrays arrays;
    for (int layer = 0; layer < start_->model.layers; ++layer)
        arrays["value" + std::to_string(layer)] = shared(copy_of(captured.capture(0, 0, hook(layer))));
    std::vector<SweepBase> bases{{clean, 0}};
    std::vector<SweepItem> all;
    if (!noise_) {
        bases.push_back({corrupted_rows_[row_], 0});
        all.push_back({1, 0, {}});
        for (SweepItem& item : items(1, {}))
            all.push_back(std::move(item));
    }
    for (int draw = 0; noise_ && draw < draws_; ++draw) {
        const std::string name = "noise" + std::to_string(draw);
        sdk::ArrayData noise{{clean.size(), start_->model.d_model}, {}};
        for (std::int64_t i = 0; i < noise.shape[0] * noise.shape[1]; ++i)
            noise.data.push_back(static_cast<float>(sigma_ * gaussian(random_)));
        arrays[name] = shared(std::move(noise));
        std::string span;
        for (const int pos : spans_[row_])
            span += (span.empty() ? "" : ",") + std::to_string(pos);
        const std::vector<RowEdit> corruption{{"hook_embed", "pos=" + span + " add 1*@" + name}};
        all.push_back({0, -1, corruption});
        for (SweepItem& item : items(0, corruption))
            all.push_back(std::move(item));
    }
    sweep_ = Sweep(start_->model, metric_, static_cast<int>(row_), std::move(bases), std::move(all),
                   std::move(arrays));
}

void CausalTrace::finish_row() {
    const std::vector<double>& values = sweep_.values();
    const int draws = noise_ ? draws_ : 1;
    const std::size_t places = values.size() / static_cast<std::size_t>(draws) - 1;
    std::vector<double> effects(places), corrupted;
    for (int draw = 0; draw < draws; ++draw) {
        const auto first = static_cast<std::size_t>(draw) * (places + 1);
        corrupted.push_back(values[first]);
        for (std::size_t place = 0; place < places; ++place)
            effects[place] += (values[first + 1 + place] - values[first]) / draws;
    }
    clean_.push_back(sweep_.bases()[0]);
    corrupted_.push_back(mean_of(corrupted));
    effects_.push_back(std::move(effects));
    ++row_;
    phase_ = Phase::captures;
}

std::string CausalTrace::note() const {
    std::string text = noise_ ? "Gaussian noise on the embeddings, sigma " + sdk::Json(sigma_).dump() + ", " +
                                    std::to_string(draws_) + " draws, seed " +
                                    std::to_string(start_->integer("seed"))
                              : "Other tokens (pairs of prompts)";
    text += "; " + site_ + " restored";
    if (site_ != "resid_post")
        text += " in windows of " + std::to_string(std::min(window_, start_->model.layers)) + " layers";
    return text + "; metric " + metric_.name() + ".";
}

sdk::Json CausalTrace::span_of(const std::vector<int>& span, const sdk::Row& row) const {
    sdk::Json lines = sdk::Json::array();
    for (const int pos : span)
        lines.push_back({{"pos", pos}, {"id", row.ids[static_cast<std::size_t>(pos)]}});
    return lines;
}

sdk::Done CausalTrace::done() const {
    auto effect = per_row("effect", "matrix", clean_rows_, {{"layer", start_->model.layers, {}}}, {"pos"});
    const auto longest = static_cast<std::size_t>(effect.axes.back().size);
    const auto layers = static_cast<std::size_t>(start_->model.layers);
    for (std::size_t row = 0; row < clean_rows_.size(); ++row) {
        const auto length = static_cast<std::size_t>(clean_rows_[row].size());
        for (std::size_t i = 0; i < effects_[row].size(); ++i)
            effect.data[(row * layers + i / length) * longest + i % length] = effects_[row][i];
    }
    sdk::Json spans = sdk::Json::array();
    for (std::size_t row = 0; row < clean_rows_.size(); ++row)
        for (sdk::Json& line : span_of(spans_[row], clean_rows_[row])) {
            if (clean_rows_.size() > 1) line["row"] = row;
            spans.push_back(std::move(line));
        }
    sdk::Done done;
    done.results.push_back(std::move(effect));
    for (const auto& [name, values] : {std::pair{"clean", &clean_}, {"corrupted", &corrupted_}}) {
        auto series =
            sdk::ResultData::array(name, "series", {{"row", static_cast<std::int64_t>(values->size()), {}}});
        series.data = *values;
        done.results.push_back(std::move(series));
    }
    done.results.push_back(sdk::ResultData::table("span", std::move(spans)));
    done.results.push_back(sdk::ResultData::text("note", note()));
    return done;
}

} // namespace vitrine::analysis
