#include "core/engine/tuned_lens.h"

#include <system_error>

#include <fmt/format.h>

#include "core/base/dtype.h"
#include "core/base/hash.h"
#include "core/formats/torch_file.h"

namespace vitrine::engine {

namespace {

namespace fs = std::filesystem;

Status check_config(const Json& config, const fs::path& file, const model::ModelSpec& model) {
    const std::string name = file.string();
    if (!config.is_object()) return fail(Code::malformed, fmt::format("{}: this is no JSON object.", name));
    VITRINE_ASSIGN(const auto type, member_or<std::string>(config, "lens_type", "linear_tuned_lens", name));
    if (type != "linear_tuned_lens")
        return fail(
            Code::unsupported,
            fmt::format("{} is a lens of type {}: only linear tuned lenses can be read.", name, type));
    VITRINE_ASSIGN(const int width, member_or<int>(config, "d_model", model.d_model, name));
    VITRINE_ASSIGN(const int layers, member_or<int>(config, "num_hidden_layers", model.layers, name));
    VITRINE_ASSIGN(const auto base, member_or<std::string>(config, "base_model_name_or_path", "", name));
    if (width != model.d_model || layers != model.layers)
        return fail(Code::unsupported,
                    fmt::format("{} is a lens for {} with {} layers of width {}, and this model has {} of "
                                "width {}: choose the lens that was trained for it.",
                                name, base.empty() ? "a model" : base, layers, width, model.layers,
                                model.d_model));
    return {};
}

/// A linear layer's weight is stored [out, in].
Tensor turned(const formats::StoredTensor& stored) {
    const std::int64_t out = stored.view.shape[0], in = stored.view.shape[1];
    Tensor tensor({in, out});
    std::vector<float> one(1);
    const auto bytes = static_cast<std::int64_t>(stored_bytes(stored.view.dtype, 1));
    for (std::int64_t r = 0; r < out; ++r)
        for (std::int64_t c = 0; c < in; ++c) {
            widen(stored.view.dtype, stored.view.data + (r * stored.stride(0) + c * stored.stride(1)) * bytes,
                  one);
            tensor.data[static_cast<std::size_t>(c * out + r)] = one.front();
        }
    return tensor;
}

} // namespace

Result<TunedLens> read_tuned_lens(const fs::path& path, const model::ModelSpec& model) {
    std::error_code ignored;
    if (!fs::exists(path, ignored))
        return fail(Code::not_found,
                    fmt::format("There is no tuned lens {}: name a folder with params.pt and "
                                "config.json, or one of the two files.",
                                path.string()));
    const fs::path folder = fs::is_directory(path, ignored) ? path : path.parent_path();
    const fs::path params =
        fs::is_directory(path, ignored) || path.extension() == ".json" ? folder / "params.pt" : path;
    TunedLens lens;
    VITRINE_ASSIGN(const Json config, read_json(folder / "config.json"));
    VITRINE_TRY(check_config(config, folder / "config.json", model));
    VITRINE_ASSIGN(lens.base_model, member_or<std::string>(config, "base_model_name_or_path", "", "config"));
    VITRINE_ASSIGN(const auto files, formats::open_torch_file(params));
    Sha256 hash;
    for (const MappedFile& file : files.files())
        hash.add(file.bytes());
    lens.hash = hash.finish();
    for (int layer = 0; layer < model.layers; ++layer) {
        const auto find = [&](const char* what) {
            const formats::StoredTensor* plain = files.find(fmt::format("{}.{}", layer, what));
            return plain != nullptr ? plain : files.find(fmt::format("layer_translators.{}.{}", layer, what));
        };
        const formats::StoredTensor* weight = find("weight");
        if (weight == nullptr)
            return fail(
                Code::malformed,
                fmt::format("{} has no translator \"{}.weight\": a lens for this model has {} of them.",
                            params.string(), layer, model.layers));
        const Shape square{model.d_model, model.d_model};
        const formats::StoredTensor* bias = find("bias");
        if (weight->view.shape != square || (bias != nullptr && bias->view.shape != Shape{model.d_model}))
            return fail(
                Code::unsupported,
                fmt::format("{}: translator {} has not the model's width {}: choose the lens that was "
                            "trained for this model.",
                            params.string(), layer, model.d_model));
        lens.weights[fmt::format("lens.{}.W", layer)] = turned(*weight);
        if (bias == nullptr) continue;
        Tensor row({1, model.d_model});
        widen(bias->view.dtype, bias->view.data, row.data);
        lens.weights[fmt::format("lens.{}.b", layer)] = std::move(row);
    }
    return lens;
}

} // namespace vitrine::engine
