#include "core/model/parts.h"

#include <algorithm>
#include <map>

namespace vitrine::model {

namespace {

std::string part_of(const std::string& weight) {
    if (weight.find(".attn.") != std::string::npos) return "attention";
    if (weight.find(".mlp.") != std::string::npos) return "MLP";
    if (weight.find("ln") != std::string::npos) return "norms";
    if (weight == "W_E") return "embedding";
    if (weight == "W_pos") return "position embedding";
    if (weight.starts_with("unembed.")) return "unembedding";
    return "other";
}

void add(Part& part, DType dtype, std::int64_t parameters) {
    part.parameters += parameters;
    const auto found = std::find_if(part.dtypes.begin(), part.dtypes.end(),
                                    [&](const auto& entry) { return entry.first == dtype; });
    if (found == part.dtypes.end())
        part.dtypes.emplace_back(dtype, parameters);
    else
        found->second += parameters;
}

void sort_dtypes(Part& part) {
    std::stable_sort(part.dtypes.begin(), part.dtypes.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
}

} // namespace

std::vector<Part> parts_of(const Model& model) {
    std::map<std::string, Part> by_name;
    for (const Weight& weight : model.weights) {
        if (weight.name == "unembed.W_U" && model.spec.tied) continue;
        const std::int64_t parameters = weight.rows * weight.cols;
        Part& part = by_name[part_of(weight.name)];
        add(part, weight.dtype, parameters);
        part.bytes += stored_bytes(weight.dtype, parameters);
    }
    std::vector<Part> parts;
    for (auto& [name, part] : by_name) {
        part.name = name;
        sort_dtypes(part);
        parts.push_back(std::move(part));
    }
    std::stable_sort(parts.begin(), parts.end(),
                     [](const Part& a, const Part& b) { return a.bytes > b.bytes; });
    return parts;
}

Part sum_of(const std::vector<Part>& parts) {
    Part all;
    all.name = "all";
    for (const Part& part : parts) {
        for (const auto& [dtype, parameters] : part.dtypes)
            add(all, dtype, parameters);
        all.bytes += part.bytes;
    }
    sort_dtypes(all);
    return all;
}

} // namespace vitrine::model
