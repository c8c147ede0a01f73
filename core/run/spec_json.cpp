// Specs as JSON for the journal, and back for replay.
#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include <fmt/format.h>

#include "core/base/hash.h"
#include "core/run/generate.h"
#include "core/run/spec_json.h"

namespace vitrine::run {

namespace {

constexpr std::array op_names{"zero",       "scale",       "add",      "set",     "add-vector",
                              "set-tensor", "project-out", "cap",      "mask",    "mean",
                              "from",       "calibrate",   "identity", "sigmoid", "parallel"};

const char* name_of(PositionChoice choice) {
    return choice == PositionChoice::last ? "last" : choice == PositionChoice::all ? "all" : "list";
}

/// A tensor with its elements, so that a spec replays without the file it came from.
Json json_of(const Tensor& tensor) {
    const auto bytes = std::as_bytes(std::span(tensor.data));
    Sha256 hash;
    hash.add(bytes);
    std::string hex;
    hex.reserve(tensor.data.size() * 8);
    for (const float element : tensor.data)
        hex += fmt::format("{:08x}", std::bit_cast<std::uint32_t>(element));
    return {{"shape", tensor.shape}, {"sha256", hash.finish()}, {"float32", std::move(hex)}};
}

SharedTensor tensor_of(const Json& json) {
    auto tensor = std::make_shared<Tensor>(json.at("shape").get<Shape>());
    const auto& hex = json.at("float32").get_ref<const std::string&>();
    if (hex.size() != tensor->data.size() * 8)
        throw nlohmann::json::other_error::create(501, "length", &json);
    for (std::size_t i = 0; i < tensor->data.size(); ++i)
        tensor->data[i] =
            std::bit_cast<float>(static_cast<std::uint32_t>(std::stoul(hex.substr(i * 8, 8), nullptr, 16)));
    return tensor;
}

Json rows_json(const std::vector<RunRow>& rows) {
    Json json = Json::array();
    for (const RunRow& row : rows) {
        Json special = Json::array();
        for (std::size_t i = 0; i < row.special.size(); ++i)
            if (row.special[i]) special.push_back(i);
        Json entry = to_json(row.marks);
        entry["ids"] = row.ids;
        entry["special"] = std::move(special);
        json.push_back(std::move(entry));
    }
    return json;
}

RowMarks marks_of(const Json& json) {
    RowMarks marks;
    marks.answer = json.value("answer", marks.answer);
    marks.distractor = json.value("distractor", marks.distractor);
    if (json.contains("position")) marks.position = json["position"].get<int>();
    marks.role = json.value("role", marks.role);
    return marks;
}

std::vector<RunRow> rows_of(const Json& json) {
    std::vector<RunRow> rows;
    for (const Json& entry : json) {
        RunRow row{entry.at("ids").get<std::vector<std::int32_t>>(), {}};
        row.special.assign(row.ids.size(), false);
        for (const Json& index : entry.at("special"))
            row.special.at(index.get<std::size_t>()) = true;
        row.marks = marks_of(entry);
        rows.push_back(std::move(row));
    }
    return rows;
}

Selector selector_of(const Json& json, bool words) {
    auto selector = parse_selector(json.get<std::string>(), words);
    if (!selector) throw nlohmann::json::other_error::create(501, selector.error().message, &json);
    return *selector;
}

EditSpec edit_of(const Json& json) {
    EditSpec edit;
    edit.hook = json.at("hook").get<std::string>();
    edit.row = selector_of(json.at("row"), false);
    edit.pos = selector_of(json.at("pos"), true);
    edit.head = selector_of(json.at("head"), false);
    edit.channel = selector_of(json.at("channel"), false);
    edit.key = selector_of(json.at("key"), false);
    const auto name = json.at("op").get<std::string>();
    const auto found = std::find(op_names.begin(), op_names.end(), name);
    if (found == op_names.end()) throw nlohmann::json::other_error::create(501, "op " + name, &json);
    edit.op = static_cast<EditOp>(found - op_names.begin());
    edit.value = json.at("value").get<double>();
    edit.threshold = json.value("threshold", 0.0);
    if (json.contains("source")) edit.source = json["source"].get<std::string>();
    if (json.contains("prompts")) edit.prompts = rows_of(json["prompts"]);
    if (json.contains("exclude_special")) edit.exclude_special = json["exclude_special"].get<bool>();
    edit.by_position = json.value("by_position", false);
    if (json.contains("from_row")) edit.from_row = json["from_row"].get<int>();
    if (json.contains("tensor")) edit.tensor = tensor_of(json["tensor"]);
    if (json.contains("tensors"))
        for (const auto& [hook, tensor] : json["tensors"].items())
            edit.tensors[hook] = tensor_of(tensor);
    return edit;
}

RunSpec run_of(const Json& json) {
    RunSpec spec;
    spec.rows = rows_of(json.at("rows"));
    spec.captures = json.at("captures").get<std::vector<std::string>>();
    for (const Json& edit : json.at("edits"))
        spec.edits.push_back(edit_of(edit));
    if (json.contains("attention")) {
        auto policy = parse_policy(json["attention"].get<std::string>());
        if (!policy) throw nlohmann::json::other_error::create(501, policy.error().message, &json);
        spec.attention = std::move(*policy);
    }
    const auto choice = json.at("choice").get<std::string>();
    spec.choice = choice == "last"  ? PositionChoice::last
                  : choice == "all" ? PositionChoice::all
                                    : PositionChoice::list;
    spec.positions = json.at("positions").get<std::vector<int>>();
    spec.top = json.at("top").get<int>();
    spec.loss = json.at("loss").get<bool>();
    spec.watch = json.value("watch", std::vector<std::int32_t>());
    if (json.value("coordinates", "raw") == "folded") spec.coordinates = model::Coordinates::folded;
    return spec;
}

/// Exceptions of the JSON library and of conversions end here.
template <typename Read>
auto guarded(Read read) -> Result<decltype(read())> {
    try {
        return read();
    } catch (const std::exception& error) {
        return fail(Code::malformed, fmt::format("The recorded spec cannot be read: {}.", error.what()));
    }
}

} // namespace

Json to_json(const RowMarks& marks) {
    Json json = Json::object();
    if (!marks.answer.empty()) json["answer"] = marks.answer;
    if (!marks.distractor.empty()) json["distractor"] = marks.distractor;
    if (marks.position) json["position"] = *marks.position;
    if (!marks.role.empty()) json["role"] = marks.role;
    return json;
}

Json to_json(const EditSpec& edit) {
    Json json{{"hook", edit.hook},
              {"row", to_text(edit.row)},
              {"pos", to_text(edit.pos)},
              {"head", to_text(edit.head)},
              {"channel", to_text(edit.channel)},
              {"key", to_text(edit.key)},
              {"op", op_names[static_cast<std::size_t>(edit.op)]},
              {"value", edit.value}};
    if (edit.op == EditOp::calibrate) json["threshold"] = edit.threshold;
    if (!edit.source.empty()) json["source"] = edit.source;
    if (!edit.prompts.empty()) json["prompts"] = rows_json(edit.prompts);
    if (edit.exclude_special) json["exclude_special"] = true;
    if (edit.by_position) json["by_position"] = true;
    if (edit.from_row != absent) json["from_row"] = edit.from_row;
    if (edit.tensor) json["tensor"] = json_of(*edit.tensor);
    for (const auto& [hook, tensor] : edit.tensors)
        json["tensors"][hook] = json_of(*tensor);
    return json;
}

Json to_json(const RunSpec& spec) {
    Json edits = Json::array();
    for (const EditSpec& edit : spec.edits)
        edits.push_back(to_json(edit));
    Json json = {{"rows", rows_json(spec.rows)},
                 {"captures", spec.captures},
                 {"edits", std::move(edits)},
                 {"choice", name_of(spec.choice)},
                 {"positions", spec.positions},
                 {"top", spec.top},
                 {"loss", spec.loss},
                 {"coordinates", model::name_of(spec.coordinates)}};
    if (spec.attention.window > 0) json["attention"] = to_text(spec.attention);
    if (!spec.watch.empty()) json["watch"] = spec.watch;
    return json;
}

Json to_json(const GenerateSpec& spec) {
    Json json{{"prompt", to_json(spec.prompt)},
              {"max_new", spec.max_new},
              {"temperature", spec.temperature},
              {"top_k", spec.top_k},
              {"top_p", spec.top_p},
              {"seed", spec.seed},
              {"stop_ids", spec.stop_ids}};
    // Left out where there is nothing to say, so that specs of before keep their hash.
    for (const auto& [step, id] : spec.forced)
        json["forced"].push_back({step, id});
    if (spec.alternatives > 0) json["alternatives"] = spec.alternatives;
    return json;
}

Result<RunSpec> run_spec_from_json(const Json& json) {
    return guarded([&] { return run_of(json); });
}

Result<GenerateSpec> generate_spec_from_json(const Json& json) {
    return guarded([&] {
        GenerateSpec spec;
        spec.prompt = run_of(json.at("prompt"));
        spec.max_new = json.at("max_new").get<int>();
        spec.temperature = json.at("temperature").get<double>();
        spec.top_k = json.at("top_k").get<int>();
        spec.top_p = json.at("top_p").get<double>();
        spec.seed = json.at("seed").get<std::uint64_t>();
        spec.stop_ids = json.at("stop_ids").get<std::vector<std::int32_t>>();
        for (const Json& entry : json.value("forced", Json::array()))
            spec.forced[entry.at(0).get<int>()] = entry.at(1).get<std::int32_t>();
        spec.alternatives = json.value("alternatives", 0);
        return spec;
    });
}

} // namespace vitrine::run
