#include "app/cli/documents.h"

#include <cmath>

namespace vitrine::cli {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json devices_document(const std::vector<backend::DeviceInfo>& devices) {
    Json document = {{"auto", "cpu"}, {"devices", Json::array()}};
    for (const auto& device : devices) {
        const bool hardware =
            device.type == backend::DeviceType::integrated || device.type == backend::DeviceType::discrete;
        if (hardware && document["auto"] == "cpu") document["auto"] = device.id;
        Json features = Json::object();
        for (const auto& [name, value] : device.features)
            features[name] = value;
        document["devices"].push_back({{"id", device.id},
                                       {"name", device.name},
                                       {"driver", device.driver},
                                       {"api", device.api},
                                       {"type", backend::name_of(device.type)},
                                       {"memory_bytes", device.memory_bytes},
                                       {"features", std::move(features)}});
    }
    return document;
}

Json hooks_document(const model::ModelSpec& spec) {
    Json hooks = Json::array();
    for (const auto& hook : model::hooks_of(spec)) {
        Json shape = Json::array();
        for (const int size : hook.shape)
            shape.push_back(size < 0 ? Json(nullptr) : Json(size));
        hooks.push_back({{"name", hook.name}, {"axes", hook.axes}, {"shape", std::move(shape)}});
    }
    return {{"hooks", std::move(hooks)}};
}

namespace {} // namespace

Json model_document(const model::Model& model, const tokenizer::Tokenizer* tokenizer) {
    const auto& spec = model.spec;
    const model::Part all = model::sum_of(model::parts_of(model));
    return {{"path", model.path},
            {"format", model.format},
            {"family", spec.family},
            {"layers", spec.layers},
            {"d_model", spec.d_model},
            {"heads", spec.heads},
            {"kv_heads", spec.kv_heads},
            {"d_head", spec.d_head},
            {"d_ff", spec.d_ff},
            {"vocab", spec.vocab},
            {"context", spec.context},
            {"parameters", model.parameters},
            {"weights_hash", or_null(model.weights_hash)},
            {"tokenizer", tokenizer == nullptr ? Json(nullptr) : Json(tokenizer->name())},
            {"norm", model::name_of(spec.norm.kind)},
            {"activation", model::name_of(spec.activation)},
            {"positional", model::name_of(spec.positional)},
            {"tied", spec.tied},
            {"dtype", std::string(dtype_name(all.dtypes.empty() ? DType::f32 : all.dtypes.front().first))},
            {"window", spec.window.empty() ? Json(nullptr) : Json(spec.window)}};
}

Json parts_document(const model::Model& model) {
    Json rows = Json::array();
    for (const model::Part& part : model::parts_of(model)) {
        Json dtypes = Json::object();
        for (const auto& [dtype, parameters] : part.dtypes)
            dtypes[std::string(dtype_name(dtype))] = parameters;
        rows.push_back({{"part", part.name},
                        {"parameters", part.parameters},
                        {"bytes", part.bytes},
                        {"dtypes", std::move(dtypes)}});
    }
    return rows;
}

Json tensor_document(const std::string& name, const Shape& shape, DType dtype, std::size_t bytes) {
    return {{"name", name}, {"shape", shape}, {"dtype", dtype_name(dtype)}, {"bytes", bytes}};
}

Json check_document(const engine::SelfCheck& check) {
    return {{"device", check.device},
            {"precision", check.precision},
            {"max_abs_dlogit", number(check.max_abs_dlogit)},
            {"kl", number(check.kl)},
            {"argmax_agreement", check.argmax_agreement},
            {"band", number(check.band)},
            {"passed", check.passed},
            {"first_divergent", or_null(check.first_divergent)},
            {"ms", number(check.ms)},
            {"measured", check.measured},
            {"cached", check.cached},
            {"accepted", check.accepted}};
}

} // namespace vitrine::cli
