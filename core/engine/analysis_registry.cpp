#include "core/engine/analysis_registry.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/analysis/builtin.h"

namespace vitrine::engine {

namespace {

constexpr std::array parameter_types = {"number", "integer",   "boolean", "choice", "text",
                                        "list",   "positions", "token",   "tokens", "rows"};
constexpr std::array result_kinds = {"matrix", "series", "table",    "scores", "histogram",
                                     "graph",  "stack",  "features", "text",   "number"};

template <std::size_t N>
bool is_one_of(const std::array<const char*, N>& names, const Json& value) {
    return value.is_string() &&
           std::find(names.begin(), names.end(), value.get<std::string>()) != names.end();
}

bool is_text(const Json& object, const char* key) { return object.contains(key) && object[key].is_string(); }

/// Ids of the public interface whose mechanism does not exist yet, and why.
const std::vector<std::pair<std::vector<std::string>, const char*>> not_yet = {
    {{"edge-attribution"},
     "needs gradients, which come with the backward pass that this version does not have: path-patch "
     "measures "
     "what an edge does."},
    {{"features", "feature-dashboard", "feature-effects", "sae-fit", "sae-circuit", "attribution-graph"},
     "needs a dictionary, which this version cannot open yet: ffn-memories and sub-updates show neurons."},
    {{"acdc", "flow-routes", "decompx", "activation-sparsity"},
     "does not exist in this version yet: ablate, path-patch and direct-logit-attribution tell what "
     "components do."}};

// What is wrong with a manifest, or nothing.
std::string fault_of(const Json& manifest) {
    if (!manifest.is_object()) return "it is not an object";
    for (const char* key : {"id", "title", "summary", "citation"})
        if (!is_text(manifest, key)) return fmt::format("\"{}\" is no text", key);
    if (manifest["id"].get<std::string>().empty()) return "\"id\" is empty";
    for (const char* key : {"parameters", "results"})
        if (!manifest.contains(key) || !manifest[key].is_array())
            return fmt::format("\"{}\" is no list", key);
    for (const Json& parameter : manifest["parameters"]) {
        if (!parameter.is_object() || !is_text(parameter, "name") || !parameter.contains("default"))
            return "a parameter lacks its name or default";
        if (!is_one_of(parameter_types, parameter.value("type", Json())))
            return fmt::format("parameter {} has no known type", parameter["name"].get<std::string>());
        if (parameter["type"] == "choice" &&
            (!parameter.contains("choices") || !parameter["choices"].is_array()))
            return fmt::format("parameter {} has no choices", parameter["name"].get<std::string>());
    }
    for (const Json& result : manifest["results"])
        if (!result.is_object() || !is_text(result, "name") ||
            !is_one_of(result_kinds, result.value("kind", Json())))
            return "a result lacks its name or a known kind";
    return {};
}

} // namespace

Result<std::vector<RegisteredAnalysis>> read_plugin(const vitrine_plugin& plugin, const std::string& source) {
    const auto foreign = [&](std::uint32_t version) {
        return fail(Code::unsupported,
                    fmt::format("{} was built for version {} of the analysis interface, this program has "
                                "version {}: rebuild it.",
                                source, version, VITRINE_ABI_VERSION));
    };
    if (plugin.abi_version != VITRINE_ABI_VERSION) return foreign(plugin.abi_version);
    std::vector<RegisteredAnalysis> read;
    for (std::size_t i = 0; i < plugin.analysis_count; ++i) {
        const vitrine_analysis& table = plugin.analyses[i];
        if (table.abi_version != VITRINE_ABI_VERSION) return foreign(table.abi_version);
        const std::string what = fmt::format("The manifest of analysis {} of {}", i, source);
        VITRINE_ASSIGN(Json manifest, parse_json(table.manifest == nullptr ? "" : table.manifest, what));
        if (const std::string fault = fault_of(manifest); !fault.empty())
            return fail(Code::malformed, fmt::format("{} is not valid: {}.", what, fault));
        read.push_back({&table, std::move(manifest)});
    }
    return read;
}

const std::vector<RegisteredAnalysis>& analyses() {
    static const std::vector<RegisteredAnalysis> all = [] {
        auto read = read_plugin(analysis::builtin(), "the program");
        assert(read);
        return read.value_or(std::vector<RegisteredAnalysis>{});
    }();
    return all;
}

Result<const RegisteredAnalysis*> find_analysis(const std::string& id) {
    std::vector<std::string> ids;
    for (const RegisteredAnalysis& analysis : analyses()) {
        if (analysis.id() == id) return &analysis;
        ids.push_back(analysis.id());
    }
    for (const auto& [names, reason] : not_yet)
        if (std::find(names.begin(), names.end(), id) != names.end())
            return fail(Code::unsupported, fmt::format("The analysis {} {}", id, reason));
    return fail(Code::not_found,
                fmt::format("There is no analysis \"{}\"; there are {}.", id, fmt::join(ids, ", ")));
}

Json manifests() {
    Json list = Json::array();
    for (const RegisteredAnalysis& analysis : analyses())
        list.push_back(analysis.manifest);
    return list;
}

} // namespace vitrine::engine
