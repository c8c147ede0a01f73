#pragma once
// An analysis on a fixture's model, as the engine runs it.
#include <filesystem>
#include <string>
#include <vector>

#include "core/engine/analysis_host.h"
#include "core/engine/analysis_parameters.h"
#include "core/engine/tuned_lens.h"
#include "core/run/generate.h"
#include "tests/run/loaded.h"

namespace vitrine::test {

/// A shipped model, or one of the fixtures.
inline std::string folder_of(const std::string& model) {
    const std::string shipped = std::string(VITRINE_RESOURCES) + "/models/" + model;
    if (std::filesystem::exists(shipped)) return shipped;
    const std::string family = fixture("families/" + model);
    return std::filesystem::exists(family) && !std::filesystem::exists(fixture(model)) ? family
                                                                                       : fixture(model);
}

/// `asked`: {"id","parameters","rows":[ids]}.
inline Result<std::vector<engine::ResultValue>> analyse(const Loaded& on, const Json& asked) {
    VITRINE_ASSIGN(const auto* analysis, engine::find_analysis(asked.at("id").get<std::string>()));
    VITRINE_ASSIGN(const Json parameters,
                   engine::check_parameters(analysis->manifest, asked.at("parameters"), {}));
    engine::AnalysisServices services;
    services.model = on.model.get();
    services.bos = 0;
    services.coordinates = parameters.value("coordinates", "raw") == "folded" ? model::Coordinates::folded
                                                                              : model::Coordinates::raw;
    services.run = [&](run::RunSpec spec) {
        spec.coordinates = services.coordinates;
        return run::run(*on.loaded, *on.model, spec, {}, {});
    };
    services.generate = [&](run::GenerateSpec spec) {
        spec.prompt.coordinates = services.coordinates;
        return run::generate(*on.loaded, *on.model, spec, {}, {}, {});
    };
    // A lens lies beside the fixtures of analyses.
    if (const Json lens = parameters.value("translators", Json()); lens.is_string()) {
        VITRINE_ASSIGN(auto read, engine::read_tuned_lens(std::string(VITRINE_FIXTURES) + "/analysis/" +
                                                              lens.get<std::string>(),
                                                          on.model->spec));
        services.from_files = std::move(read.weights);
    }
    std::vector<run::RunRow> rows;
    for (const Json& ids : asked.at("rows"))
        rows.push_back({ids.get<std::vector<std::int32_t>>(), {}});
    return engine::run_analysis(*analysis, parameters, rows, services, {}, {});
}

inline const engine::ResultValue& result_of(const std::vector<engine::ResultValue>& results,
                                            const std::string& name) {
    for (const engine::ResultValue& result : results)
        if (result.name == name) return result;
    qFatal("no result %s", name.c_str());
}

} // namespace vitrine::test
