#include "app/cli/documents.h"

#include <cmath>
#include <map>

namespace vitrine::cli {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

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

namespace {

// The element type of most of the weights' bytes.
std::string main_dtype(const model::Model& model) {
    std::map<DType, std::int64_t> elements;
    for (const auto& weight : model.weights)
        elements[weight.dtype] += weight.rows * weight.cols;
    DType most = DType::f32;
    std::int64_t count = 0;
    for (const auto& [dtype, size] : elements)
        if (size > count) {
            most = dtype;
            count = size;
        }
    return std::string(dtype_name(most));
}

} // namespace

Json model_document(const model::Model& model, const tokenizer::Tokenizer* tokenizer) {
    const auto& spec = model.spec;
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
            {"weights_hash", model.weights_hash.empty() ? Json(nullptr) : Json(model.weights_hash)},
            {"tokenizer", tokenizer == nullptr ? Json(nullptr) : Json(tokenizer->name())},
            {"norm", model::name_of(spec.norm.kind)},
            {"activation", model::name_of(spec.activation)},
            {"positional", model::name_of(spec.positional)},
            {"tied", spec.tied},
            {"dtype", main_dtype(model)},
            {"window", spec.window.empty() ? Json(nullptr) : Json(spec.window)}};
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
            {"first_divergent", check.first_divergent.empty() ? Json(nullptr) : Json(check.first_divergent)},
            {"ms", number(check.ms)},
            {"measured", check.measured},
            {"cached", check.cached},
            {"accepted", check.accepted}};
}

} // namespace vitrine::cli
