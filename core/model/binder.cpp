#include "core/model/binder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::model {

Binder::Binder(Model& model, const formats::TensorFiles& files, std::vector<std::string> prefixes)
    : model_(model), files_(files), prefixes_(std::move(prefixes)) {}

const formats::StoredTensor* Binder::find(const std::string& tensor) const {
    for (const std::string& prefix : prefixes_)
        if (const auto* stored = files_.find(prefix + tensor)) return stored;
    return nullptr;
}

Result<const formats::StoredTensor*> Binder::require(const std::string& tensor, const Shape& shape) const {
    const formats::StoredTensor* stored = find(tensor);
    if (stored == nullptr)
        return fail(
            Code::malformed,
            fmt::format("{} has no tensor \"{}\", which its config.json calls for; the download may be "
                        "incomplete.",
                        model_.path, prefixes_.front() + tensor));
    if (stored->view.shape != shape)
        return fail(Code::malformed,
                    fmt::format("{}: tensor \"{}\" has shape [{}], but its config.json calls for [{}].",
                                model_.path, stored->name, fmt::join(stored->view.shape, ", "),
                                fmt::join(shape, ", ")));
    switch (stored->view.dtype) {
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::f64:
        return stored;
    default:
        return fail(Code::unsupported,
                    fmt::format("{}: tensor \"{}\" holds {}, which is no weight Vitrine reads; "
                                "it needs float32, float16, bfloat16 or float64.",
                                model_.path, stored->name, dtype_name(stored->view.dtype)));
    }
}

Status Binder::matrix(const std::string& name, const std::string& tensor, std::int64_t in, std::int64_t out,
                      Stored stored, Slice slice) {
    const std::int64_t total = slice.total > 0 ? slice.total : out;
    const bool in_out = stored == Stored::in_out;
    VITRINE_ASSIGN(const auto* found, require(tensor, in_out ? Shape{in, total} : Shape{total, in}));
    Weight weight{name, found->view.data, found->view.dtype, in, out, in_out ? total : 1, in_out ? 1 : in};
    weight.data += static_cast<std::size_t>(slice.first * weight.col_stride) * dtype_size(weight.dtype);
    model_.add(std::move(weight));
    return {};
}

Status Binder::vector(const std::string& name, const std::string& tensor, std::int64_t size, Slice slice) {
    VITRINE_ASSIGN(const auto* found, require(tensor, Shape{slice.total > 0 ? slice.total : size}));
    Weight weight{name, found->view.data, found->view.dtype, 1, size, size, 1};
    weight.data += static_cast<std::size_t>(slice.first) * dtype_size(weight.dtype);
    model_.add(std::move(weight));
    return {};
}

void Binder::tie_unembedding() {
    const Weight table = model_.at(model_.find("W_E"));
    model_.add(
        {"unembed.W_U", table.data, table.dtype, table.cols, table.rows, table.col_stride, table.row_stride});
}

} // namespace vitrine::model
