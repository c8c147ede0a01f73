#include "core/engine/analysis_messages.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace vitrine::engine {

namespace {

std::vector<run::RunRow> rows_of(const Json& json) {
    std::vector<run::RunRow> rows;
    for (const Json& row : json)
        rows.push_back(
            {row.at("ids").get<std::vector<std::int32_t>>(), row.at("special").get<std::vector<bool>>()});
    return rows;
}

/// The arrays of one run or generation, by the name that its edits use; `place` is "run0/" or the like.
Result<std::map<std::string, SharedTensor>> arrays_of(const Json& json, const vitrine_message& message,
                                                      const std::string& place) {
    std::map<std::string, SharedTensor> arrays;
    for (const Json& entry : json.value("arrays", Json::array())) {
        const auto name = entry.get<std::string>();
        const auto* const end = message.arrays + message.array_count;
        const auto* const found = std::find_if(
            message.arrays, end, [&](const vitrine_array& array) { return array.name == place + name; });
        if (found == end)
            return fail(Code::internal, fmt::format("the array {} is listed and did not come", name));
        if (found->dtype != VITRINE_F32)
            return fail(Code::internal, fmt::format("the array {} is not float32", name));
        Shape shape(found->shape, found->shape + found->rank);
        if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 1; }))
            return fail(Code::internal, fmt::format("the array {} is empty", name));
        const auto* const data = static_cast<const float*>(found->data);
        std::vector<float> copy(data, data + element_count(shape));
        arrays[name] = std::make_shared<const Tensor>(std::move(shape), std::move(copy));
    }
    return arrays;
}

Result<std::vector<run::EditSpec>> edits_of(const Json& json, const vitrine_message& message,
                                            const std::string& place) {
    VITRINE_ASSIGN(const auto arrays, arrays_of(json, message, place));
    std::vector<run::EditSpec> edits;
    for (const Json& text : json.at("edits")) {
        VITRINE_ASSIGN(run::EditSpec edit, run::parse_edit(text.get<std::string>()));
        if (!edit.source.empty()) {
            if (edit.op == run::EditOp::mean)
                return fail(Code::unsupported, fmt::format("an edit of an analysis may not read prompts: {}",
                                                           text.get<std::string>()));
            const auto found = arrays.find(edit.source);
            if (found == arrays.end())
                return fail(Code::internal, fmt::format("the edit \"{}\" names an array that is not sent",
                                                        text.get<std::string>()));
            edit.tensor = found->second;
        }
        edits.push_back(std::move(edit));
    }
    return edits;
}

Result<run::RunSpec> run_of(const Json& json, const vitrine_message& message, const std::string& place) {
    run::RunSpec spec;
    spec.rows = rows_of(json.at("rows"));
    spec.captures = json.at("captures").get<std::vector<std::string>>();
    VITRINE_ASSIGN(spec.edits, edits_of(json, message, place));
    VITRINE_ASSIGN(spec.attention, run::parse_policy(json.value("attention", "")));
    const Json& positions = json.at("positions");
    if (positions == "all") {
        spec.choice = run::PositionChoice::all;
    } else if (positions.is_array()) {
        spec.choice = run::PositionChoice::list;
        spec.positions = positions.get<std::vector<int>>();
    }
    spec.top = json.at("top").get<int>();
    spec.loss = json.at("loss").get<bool>();
    spec.logits = json.at("logits").get<bool>();
    spec.watch = json.value("watch", std::vector<std::int32_t>());
    return spec;
}

Result<run::GenerateSpec> generation_of(const Json& json, const vitrine_message& message,
                                        const std::string& place, const std::vector<std::int32_t>& stop_ids) {
    run::GenerateSpec spec;
    spec.prompt.rows = rows_of(json.at("rows"));
    spec.prompt.captures = json.at("captures").get<std::vector<std::string>>();
    VITRINE_ASSIGN(spec.prompt.edits, edits_of(json, message, place));
    VITRINE_ASSIGN(spec.prompt.attention, run::parse_policy(json.value("attention", "")));
    spec.prompt.loss = false;
    spec.max_new = json.at("max_new").get<int>();
    spec.temperature = json.at("temperature").get<double>();
    spec.top_k = json.at("top_k").get<int>();
    spec.top_p = json.at("top_p").get<double>();
    spec.seed = json.at("seed").get<std::uint64_t>();
    if (json.at("stop").get<bool>()) spec.stop_ids = stop_ids;
    for (const Json& entry : json.value("forced", Json::array()))
        spec.forced[entry.at(0).get<int>()] = entry.at(1).get<std::int32_t>();
    spec.alternatives = json.value("top", 0);
    return spec;
}

// An array of a message, as doubles; nothing if there is none of that name, type and shape.
std::optional<std::vector<double>> doubles_of(const vitrine_message& message, const std::string& name,
                                              const Shape& shape) {
    for (std::size_t i = 0; i < message.array_count; ++i) {
        const vitrine_array& array = message.arrays[i];
        if (array.name != name) continue;
        if (array.rank != shape.size() || !std::equal(shape.begin(), shape.end(), array.shape))
            return std::nullopt;
        const auto count = static_cast<std::size_t>(element_count(shape));
        if (array.dtype == VITRINE_F64) {
            const auto* data = static_cast<const double*>(array.data);
            return std::vector<double>(data, data + count);
        }
        if (array.dtype == VITRINE_F32) {
            const auto* data = static_cast<const float*>(array.data);
            return std::vector<double>(data, data + count);
        }
    }
    return std::nullopt;
}

/// The texts of ids: "token" of "id", "next" of "next_id".
void fill_tokens(Json& table, const std::function<std::string(std::int32_t)>& token_text) {
    constexpr std::string_view ending = "_id";
    if (!token_text || !table.is_array()) return;
    for (Json& row : table) {
        if (!row.is_object()) continue;
        Json texts = Json::object();
        for (const auto& [name, value] : row.items()) {
            if (!value.is_number_integer() || (name != "id" && !name.ends_with(ending))) continue;
            const std::string text = name == "id" ? "token" : name.substr(0, name.size() - ending.size());
            if (!row.contains(text)) texts[text] = token_text(value.get<std::int32_t>());
        }
        row.update(texts);
    }
}

bool is_listed(const Json& manifest, const ResultValue& result) {
    for (const Json& entry : manifest.at("results")) {
        if (entry.at("name") != result.name) continue;
        // What is a series of one row or position is a matrix of several.
        return entry.at("kind") == result.kind || (entry.at("kind") == "series" && result.kind == "matrix");
    }
    return false;
}

Result<ResultValue> result_of(const Json& json, const vitrine_message& message) {
    ResultValue result;
    result.name = json.at("name").get<std::string>();
    result.kind = json.at("kind").get<std::string>();
    Shape shape;
    bool ragged = false;
    for (const Json& axis : json.at("axes")) {
        result.axes.push_back({axis.at("name").get<std::string>(), axis.at("size").get<std::int64_t>(),
                               axis.at("labels").get<std::vector<std::string>>(),
                               axis.value("ragged", false)});
        const ResultAxis& read = result.axes.back();
        shape.push_back(read.size);
        ragged = ragged || read.ragged;
        if (read.size < 0 ||
            (!read.labels.empty() && static_cast<std::int64_t>(read.labels.size()) != read.size))
            return fail(Code::internal,
                        fmt::format("axis {} of {} has a wrong size", read.name, result.name));
    }
    result.whole = json.value("whole", false);
    if (json.contains("lengths")) result.lengths = json["lengths"].get<std::vector<std::int64_t>>();
    if (ragged && (shape.empty() || static_cast<std::int64_t>(result.lengths.size()) != shape.front()))
        return fail(Code::internal, fmt::format("{} is ragged and has no lengths", result.name));
    if (json.contains("value")) {
        result.json = json["value"];
        return result;
    }
    const auto name = json.at("array").get<std::string>();
    auto data = doubles_of(message, name, shape);
    if (!data)
        return fail(
            Code::internal,
            fmt::format("the array {} of {} is missing, or not of the shape of its axes", name, result.name));
    result.data = std::move(*data);
    return result;
}

// Members of another type than abi.h says are the analysis' fault, not a reason to stop.
template <typename F>
auto guarded(F&& read) -> decltype(read()) {
    try {
        return read();
    } catch (const nlohmann::json::exception& error) {
        return fail(Code::internal, fmt::format("a message is not as the interface says ({})", error.what()));
    }
}

} // namespace

void OutgoingMessage::add(std::string name, const Tensor& tensor) {
    names_.push_back(std::move(name));
    arrays_.push_back({names_.back().c_str(), VITRINE_F32, static_cast<std::uint32_t>(tensor.shape.size()),
                       tensor.shape.data(), tensor.data.data()});
}

void OutgoingMessage::add(std::string name, const float* data, Shape shape) {
    names_.push_back(std::move(name));
    shapes_.push_back(std::move(shape));
    arrays_.push_back({names_.back().c_str(), VITRINE_F32, static_cast<std::uint32_t>(shapes_.back().size()),
                       shapes_.back().data(), data});
}

vitrine_message OutgoingMessage::message() {
    text_ = dump_json(json);
    return {text_.c_str(), arrays_.data(), arrays_.size()};
}

Json model_facts(const model::ModelSpec& spec, std::optional<std::int32_t> bos,
                 const std::vector<std::int32_t>& special_ids) {
    Json scales = Json::array();
    Json rotary = Json::array();
    for (int layer = 0; layer < spec.layers; ++layer) {
        scales.push_back(spec.attention_scale_of(layer));
        const int index = spec.rotary_index(layer);
        if (index < 0) {
            rotary.push_back(nullptr);
            continue;
        }
        const model::RotarySpec& rotation = spec.rotaries[static_cast<std::size_t>(index)];
        rotary.push_back({{"dims", rotation.dims},
                          {"interleaved", rotation.interleaved},
                          {"scale", rotation.scale},
                          {"inverse_frequency", rotation.inverse_frequency}});
    }
    return {{"family", spec.family},
            {"layers", spec.layers},
            {"d_model", spec.d_model},
            {"heads", spec.heads},
            {"kv_heads", spec.kv_heads},
            {"d_head", spec.d_head},
            {"d_ff", spec.d_ff},
            {"vocab", spec.vocab},
            {"context", spec.context},
            {"norm", model::name_of(spec.norm.kind)},
            {"norm_eps", spec.norm.eps},
            {"final_norm", spec.final_norm},
            {"norm_place", model::name_of(spec.norm_place)},
            {"parallel", spec.parallel},
            {"residual_scale", spec.residual_scale},
            {"logit_scale", spec.logit_scale},
            {"logit_cap", spec.logit_cap},
            {"activation", model::name_of(spec.activation)},
            {"gated", spec.gated},
            {"positional", model::name_of(spec.positional)},
            {"tied", spec.tied},
            {"window", spec.window},
            {"reindexable", run::check_policy(spec, {1, 1, true}).has_value()},
            {"attention_scale", std::move(scales)},
            {"qk_norm", model::name_of(spec.qk_norm)},
            {"rotary", std::move(rotary)},
            {"bos", bos ? Json(*bos) : Json()},
            {"special_ids", special_ids}};
}

Result<AnalysisNeed> parse_need(const Json& json, const vitrine_message& message,
                                const std::vector<std::int32_t>& stop_ids) {
    return guarded([&]() -> Result<AnalysisNeed> {
        AnalysisNeed need;
        for (const char* reserved : {"corpus", "gradients", "dictionaries"})
            if (json.contains(reserved))
                return fail(Code::unsupported,
                            fmt::format("it asks for {}, which do not exist yet", reserved));
        for (const Json& entry : json.at("runs")) {
            const std::string place = fmt::format("run{}/", need.runs.size());
            VITRINE_ASSIGN(run::RunSpec spec, run_of(entry, message, place));
            need.runs.push_back(std::move(spec));
        }
        for (const Json& entry : json.at("generations")) {
            const std::string place = fmt::format("generation{}/", need.generations.size());
            VITRINE_ASSIGN(run::GenerateSpec spec, generation_of(entry, message, place, stop_ids));
            need.generations.push_back(std::move(spec));
        }
        need.weights = json.at("weights").get<std::vector<std::string>>();
        need.transient = json.value("transient", false);
        need.checkpoint = json.value("checkpoint", std::string());
        if (!need.checkpoint.empty() && !need.weights.empty())
            return fail(Code::unsupported, "it asks for weights of a checkpoint, which cannot be had");
        if (need.runs.empty() && need.generations.empty() && need.weights.empty())
            return fail(Code::internal, "it asked for nothing");
        return need;
    });
}

void add_answer(OutgoingMessage& message, std::size_t index, const run::RunResult& result) {
    Json rows = Json::array();
    for (std::size_t r = 0; r < result.rows.size(); ++r) {
        const run::RowResult& row = result.rows[r];
        const std::string place = fmt::format("run{}/row{}/", index, r);
        Json positions = Json::array();
        for (const run::PositionResult& position : row.positions) {
            const backend::LogitRow& stats = position.stats;
            Json top = Json::array();
            for (const backend::TopToken& token : stats.top)
                top.push_back({{"id", token.id},
                               {"logit", token.logit},
                               {"prob", std::exp(static_cast<double>(token.logit) - stats.logsumexp)}});
            positions.push_back({{"pos", position.pos},
                                 {"entropy", stats.entropy},
                                 {"varentropy", stats.varentropy},
                                 {"logsumexp", stats.logsumexp},
                                 {"top", std::move(top)}});
            if (!stats.watched.empty()) positions.back()["watched"] = stats.watched;
        }
        const bool has_loss = !row.token_nll.empty();
        rows.push_back({{"loss", has_loss ? Json(row.loss) : Json()}, {"positions", std::move(positions)}});
        for (const run::Captured& captured : row.captures)
            message.add(place + captured.hook, captured.tensor);
        if (has_loss)
            message.add(place + "token_nll", row.token_nll.data(),
                        {static_cast<std::int64_t>(row.token_nll.size())});
        if (row.logits.size() > 0) message.add(place + "logits", row.logits);
    }
    message.json["runs"].push_back({{"rows", std::move(rows)}});
}

void add_answer(OutgoingMessage& message, std::size_t index, const run::GenerateResult& result) {
    Json rows = Json::array();
    for (std::size_t r = 0; r < result.rows.size(); ++r) {
        const run::GeneratedRow& row = result.rows[r];
        Json steps = Json::array();
        for (std::size_t s = 0; s < row.steps.size(); ++s) {
            const run::GenerateStep& step = row.steps[s];
            Json top = Json::array();
            for (const run::Alternative& other : step.top)
                top.push_back({{"id", other.id}, {"prob", other.prob}});
            steps.push_back({{"pos", step.pos},
                             {"id", step.id},
                             {"prob", step.prob},
                             {"entropy", step.entropy},
                             {"varentropy", step.varentropy},
                             {"top1", step.top1},
                             {"margin", step.margin},
                             {"top", std::move(top)}});
            for (const run::Captured& captured : step.captures)
                message.add(fmt::format("generation{}/row{}/step{}/{}", index, r, s, captured.hook),
                            captured.tensor);
        }
        rows.push_back({{"new_ids", row.new_ids}, {"stop", row.stop}, {"steps", std::move(steps)}});
    }
    message.json["generations"].push_back({{"rows", std::move(rows)}});
}

Result<std::vector<ResultValue>> parse_done(const Json& done, const vitrine_message& message,
                                            const Json& manifest,
                                            const std::function<std::string(std::int32_t)>& token_text) {
    return guarded([&]() -> Result<std::vector<ResultValue>> {
        std::vector<ResultValue> results;
        for (const Json& entry : done.at("results")) {
            VITRINE_ASSIGN(ResultValue result, result_of(entry, message));
            if (!is_listed(manifest, result))
                return fail(Code::internal, fmt::format("its manifest does not list the result {} ({})",
                                                        result.name, result.kind));
            fill_tokens(result.json, token_text);
            results.push_back(std::move(result));
        }
        return results;
    });
}

} // namespace vitrine::engine
