#include "app/cli/session_documents.h"

#include <fmt/format.h>

#include "app/cli/documents.h"
#include "app/cli/table.h"

namespace vitrine::cli {

Json session_document(const session::Session& session, std::size_t steps) {
    return {{"folder", session.folder().string()}, {"steps", steps}};
}

Json step_document(const session::Step& step) {
    Json error = nullptr;
    if (!step.error.empty()) error = {{"code", step.error_code}, {"message", step.error}};
    return {{"seq", step.seq},
            {"kind", step.kind},
            {"status", session::status_name(step.status)},
            {"spec_hash", step.spec_hash},
            {"started", step.started},
            {"ms", step.ms ? number(*step.ms) : Json(nullptr)},
            {"device", step.device.name},
            {"precision", step.precision},
            {"error", std::move(error)}};
}

Json step_detail_document(const session::StepDetail& detail) {
    Json document = step_document(detail.step);
    const auto spec = parse_json(detail.step.spec, "spec");
    document["spec"] = spec ? *spec : Json(detail.step.spec);
    document["app_version"] = detail.step.app_version;
    document["device_detail"] = detail.step.device.detail;
    document["model"] = nullptr;
    if (detail.step.model)
        document["model"] = {{"path", detail.step.model->path},
                             {"weights_hash", detail.step.model->weights_hash},
                             {"tokenizer_hash", or_null(detail.step.model->tokenizer_hash)}};
    document["inputs"] = Json::array();
    for (const auto& input : detail.inputs)
        document["inputs"].push_back({{"role", input.role},
                                      {"step", input.step ? Json(*input.step) : Json(nullptr)},
                                      {"dataset", or_null(input.dataset)},
                                      {"path", or_null(input.path)},
                                      {"hash", or_null(input.hash)}});
    document["artifacts"] = Json::array();
    for (const auto& artifact : detail.artifacts)
        document["artifacts"].push_back({{"kind", artifact.kind},
                                         {"file", artifact.file},
                                         {"dataset", artifact.dataset},
                                         {"dtype", artifact.dtype},
                                         {"shape", artifact.shape},
                                         {"hash", artifact.hash},
                                         {"size", artifact.bytes}});
    return document;
}

Json drift_document(const std::vector<engine::ReplayedStep>& steps) {
    Json drift = Json::array();
    for (const auto& step : steps)
        for (const auto& one : step.drift)
            drift.push_back({{"step", step.seq},
                             {"artifact", one.artifact},
                             {"verdict", store::verdict_name(one.comparison.verdict)},
                             {"nmse", number(one.comparison.nmse)},
                             {"max_abs", number(one.comparison.max_abs)}});
    return drift;
}

std::string describe_session(const Json& document) {
    std::string text = fmt::format("{}: {} steps\n", document["session"]["folder"].get<std::string>(),
                                   document["session"]["steps"].get<std::size_t>());
    Table table({"step", "kind", "status", "started", "ms", "device", "precision", "error"});
    for (const Json& step : document["steps"])
        table.add({step["seq"], step["kind"], step["status"], step["started"], step["ms"], step["device"],
                   step["precision"], step["error"].is_null() ? Json("") : step["error"]["message"]});
    text += table.text();
    if (!document.contains("drift")) return text;
    Table drift({"step", "artifact", "verdict", "nmse", "max |Δ|"});
    for (const Json& one : document["drift"])
        drift.add({one["step"], one["artifact"], one["verdict"], one["nmse"], one["max_abs"]});
    return text + "\n" + drift.text();
}

std::string describe_steps(const Json& document) {
    std::string text = describe_session(document);
    for (const Json& step : document["steps"]) {
        text += fmt::format("\nstep {}\nspec {}\n", step["seq"].get<std::int64_t>(), dump_json(step["spec"]));
        Table table({"file", "dataset", "type", "shape", "size", "hash"});
        for (const Json& artifact : step["artifacts"])
            table.add({artifact["file"], artifact["dataset"], artifact["dtype"], dump_json(artifact["shape"]),
                       bytes_text(artifact["size"].get<double>()),
                       artifact["hash"].get<std::string>().substr(0, 12)});
        text += table.text();
    }
    return text;
}

} // namespace vitrine::cli
