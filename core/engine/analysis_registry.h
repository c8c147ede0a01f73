#pragma once
// The analyses that there are, by id.
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/sdk/abi.h"

namespace vitrine::engine {

/// An analysis with its manifest, parsed.
struct RegisteredAnalysis {
    const vitrine_analysis* table = nullptr;
    Json manifest;

    std::string id() const { return manifest.at("id").get<std::string>(); }
};

/// All analyses of a plugin. malformed (naming `source`) if its version is another one, or if a manifest is
/// not as abi.h says.
Result<std::vector<RegisteredAnalysis>> read_plugin(const vitrine_plugin& plugin, const std::string& source);

/// The built-in ones, in the order of their list.
const std::vector<RegisteredAnalysis>& analyses();

/// unsupported, saying what is missing, for an id of the public interface whose mechanism does not exist yet;
/// not_found, naming those there are, for any other.
Result<const RegisteredAnalysis*> find_analysis(const std::string& id);

/// The manifests of analyses(), as `analyze --list` prints them.
Json manifests();

} // namespace vitrine::engine
