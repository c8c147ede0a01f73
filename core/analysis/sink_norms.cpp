#include "core/analysis/sink_norms.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/axes.h"
#include "core/analysis/sink_rows.h"

namespace vitrine::analysis {

double norm_of(sdk::View vector) {
    double sum = 0;
    for (const float x : vector)
        sum += static_cast<double>(x) * static_cast<double>(x);
    return std::sqrt(sum);
}

double median_of(std::vector<double> values) {
    if (values.empty()) return std::nan("");
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

sdk::Manifest SinkNorms::manifest() {
    return sdk::Manifest("sink-norms", "Norms at the sink")
        .summary("L2 norm of the residual stream and of each head's key and value, for every layer and "
                 "token. Where a sink is, the residual stream usually grows by orders of magnitude from an "
                 "early layer on (massive activations), while the value that the sink hands out is small. "
                 "`layers` sets the sink beside the median of the other tokens. A number of the residual "
                 "stream after a layer is listed as massive if it is above `magnitude` and above `ratio` "
                 "times the median magnitude of that layer's whole hidden state.")
        .citation("Gu et al. 2024, When Attention Sink Emerges in Language Models; Sun et al. 2024, Massive "
                  "Activations in Large Language Models")
        .integer("key", 0, "position of the sink; negative from the end of each row")
        .number("magnitude", 100, "smallest number that can be massive", 0)
        .number("ratio", 1000, "how many times the median magnitude a massive number is", 0)
        .integer("most", 50, "massive numbers listed, the largest", 1, 100000)
        .result("resid_pre", "matrix", "[row ×] layer × pos")
        .result("resid_mid", "matrix", "[row ×] layer × pos; models that have it")
        .result("resid_post", "matrix", "[row ×] layer × pos")
        .result("key", "matrix", "[row ×] layer × kv_head × pos; as projected, which rotation keeps")
        .result("value", "matrix", "[row ×] layer × kv_head × pos")
        .result("layers", "table",
                "by layer, mean over rows (and key heads): norms at the sink, the median over the other "
                "tokens, and sink / others")
        .result("massive", "table", "row, layer, pos, token, dimension, value, times the median")
        .result("note", "text", "rows, whether a BOS is present, how many numbers are massive");
}

std::optional<sdk::Failure> SinkNorms::begin(const sdk::Start& start) {
    magnitude_ = start.number("magnitude");
    ratio_ = start.number("ratio");
    most_ = static_cast<std::size_t>(start.integer("most"));
    if (auto failure = keys_of(start, "key", keys_)) return failure;
    use_hook("hook_resid_post");
    also_capture("hook_resid_*");
    also_capture("attn.hook_k");
    also_capture("attn.hook_v");
    const sdk::Axis layer{"layer", start.model.layers};
    const auto add = [&](const char* name, const char* hook, bool heads) {
        std::vector<sdk::Axis> axes{layer};
        if (heads) axes.push_back({"kv_head", start.model.kv_heads});
        Kind kind;
        kind.norms = per_row(name, "matrix", start.rows, std::move(axes), {"pos"});
        kind.hook = hook;
        kind.sink.assign(static_cast<std::size_t>(start.model.layers), 0);
        kind.others = kind.sink;
        kinds_.push_back(std::move(kind));
    };
    add("resid_pre", "hook_resid_pre", false);
    add("resid_mid", "hook_resid_mid", false);
    add("resid_post", "hook_resid_post", false);
    add("key", "attn.hook_k", true);
    add("value", "attn.hook_v", true);
    return std::nullopt;
}

std::int64_t SinkNorms::layer_bytes(std::int64_t length) const {
    return 4 * length * (3 * model().d_model + 2 * model().kv_heads * model().d_head);
}

void SinkNorms::visit(int row, int layer, sdk::View resid_post, const Besides& besides) {
    for (Kind& kind : kinds_) {
        kind.there = kind.there || besides.has(kind.hook);
        if (kind.there) measure(kind, row, layer, besides.capture(kind.hook));
    }
    find_massive(row, layer, resid_post);
}

void SinkNorms::measure(Kind& kind, int row, int layer, sdk::View values) {
    const auto length = static_cast<int>(values.size(0));
    const auto heads = values.rank() == 3 ? static_cast<int>(values.size(1)) : 1;
    const auto width = kind.norms.axes.back().size;
    const int sink = keys_[static_cast<std::size_t>(row)];
    const double weight = 1.0 / heads / static_cast<double>(rows().size());
    for (int head = 0; head < heads; ++head) {
        const auto line = ((std::int64_t{row} * model().layers + layer) * heads + head) * width;
        std::vector<double> others;
        for (int pos = 0; pos < length; ++pos) {
            const double norm = norm_of(values.rank() == 3 ? values[pos][head] : values[pos]);
            kind.norms.data[static_cast<std::size_t>(line + pos)] = norm;
            if (pos == sink)
                kind.sink[static_cast<std::size_t>(layer)] += weight * norm;
            else
                others.push_back(norm);
        }
        kind.others[static_cast<std::size_t>(layer)] += weight * median_of(std::move(others));
    }
}

void SinkNorms::find_massive(int row, int layer, sdk::View resid_post) {
    std::vector<double> sizes;
    for (const float x : resid_post)
        sizes.push_back(std::abs(static_cast<double>(x)));
    const double median = median_of(std::move(sizes));
    const sdk::Row& tokens = rows()[static_cast<std::size_t>(row)];
    for (int pos = 0; pos < tokens.size(); ++pos)
        for (int dimension = 0; dimension < model().d_model; ++dimension) {
            const double value = resid_post(pos, dimension);
            if (std::abs(value) <= magnitude_ || std::abs(value) <= ratio_ * median) continue;
            massive_.push_back(
                {{"row", row},
                 {"layer", layer},
                 {"pos", pos},
                 {"id", tokens.ids[static_cast<std::size_t>(pos)]},
                 {"dimension", dimension},
                 {"value", value},
                 {"times_median", median > 0 ? sdk::Json(std::abs(value) / median) : sdk::Json()}});
            ++found_;
        }
    if (massive_.size() > 2 * most_) keep_the_largest();
}

void SinkNorms::keep_the_largest() {
    std::stable_sort(massive_.begin(), massive_.end(), [](const sdk::Json& a, const sdk::Json& b) {
        return std::abs(a["value"].get<double>()) > std::abs(b["value"].get<double>());
    });
    if (massive_.size() > most_)
        massive_.erase(massive_.begin() + static_cast<std::ptrdiff_t>(most_), massive_.end());
}

sdk::Reply SinkNorms::finish() {
    sdk::Done done;
    sdk::Json layers = sdk::Json::array();
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(model().layers); ++layer) {
        sdk::Json line = {{"layer", layer}};
        for (const Kind& kind : kinds_) {
            if (!kind.there || kind.norms.name == "resid_pre" || kind.norms.name == "resid_mid") continue;
            const double sink = kind.sink[layer], others = kind.others[layer];
            line[kind.norms.name] = sink;
            line[kind.norms.name + "_others"] = others;
            line[kind.norms.name + "_ratio"] = others > 0 ? sdk::Json(sink / others) : sdk::Json();
        }
        layers.push_back(std::move(line));
    }
    for (Kind& kind : kinds_)
        if (kind.there) done.results.push_back(std::move(kind.norms));
    done.results.push_back(sdk::ResultData::table("layers", std::move(layers)));
    keep_the_largest();
    done.results.push_back(sdk::ResultData::table("massive", std::move(massive_)));
    std::string note = describe_rows(rows()) + " " + std::to_string(found_) + " massive " +
                       (found_ == 1 ? "number" : "numbers");
    note += found_ > most_ ? ", the largest " + std::to_string(most_) + " are listed." : ".";
    done.results.push_back(sdk::ResultData::text("note", note));
    return done;
}

} // namespace vitrine::analysis
