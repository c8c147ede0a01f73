#include "core/model/binder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::model {

Binder::Binder(Model& model, const formats::TensorFiles& files, std::vector<std::string> prefixes,
               BinderSource source)
    : model_(model), files_(files), prefixes_(std::move(prefixes)), source_(std::move(source)) {}

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
            fmt::format("{} has no tensor \"{}\", which its {} calls for; the download may be incomplete.",
                        model_.path,
                        source_.name_in_file ? source_.name_in_file(tensor) : prefixes_.front() + tensor,
                        source_.described_by));
    used_.insert(stored);
    if (stored->view.shape != shape)
        return fail(Code::malformed,
                    fmt::format("{}: tensor \"{}\" has shape [{}], but its {} calls for [{}].", model_.path,
                                name_in_file(stored->name), fmt::join(stored->view.shape, ", "),
                                source_.described_by, fmt::join(shape, ", ")));
    const DType dtype = stored->view.dtype;
    if (dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f64 ||
        in_blocks(dtype))
        return stored;
    return fail(Code::unsupported,
                fmt::format("{}: tensor \"{}\" holds {}, which is no weight Vitrine reads; "
                            "it needs float32, float16, bfloat16, float64 or quantised blocks.",
                            model_.path, name_in_file(stored->name), dtype_name(dtype)));
}

std::string Binder::name_in_file(const std::string& tensor) const {
    return source_.name_in_file ? source_.name_in_file(tensor) : tensor;
}

std::vector<std::string> Binder::unused() const {
    std::vector<std::string> names;
    for (const formats::StoredTensor& tensor : files_.tensors())
        if (!used_.contains(&tensor)) names.push_back(name_in_file(tensor.name));
    return names;
}

Status Binder::advance(Weight& weight, std::int64_t elements) const {
    if (elements % block_elements(weight.dtype) != 0)
        return fail(Code::unsupported,
                    fmt::format("{}: {} begins within a block of {} elements of {}.", model_.path,
                                weight.name, block_elements(weight.dtype), dtype_name(weight.dtype)));
    weight.data += stored_bytes(weight.dtype, elements);
    return {};
}

Result<Weight> Binder::stored_matrix(const std::string& name, const std::string& tensor, std::int64_t in,
                                     std::int64_t out, Stored stored, Slice slice) const {
    const std::int64_t total = slice.total > 0 ? slice.total : out;
    const bool in_out = stored == Stored::in_out;
    VITRINE_ASSIGN(const auto* found, require(tensor, in_out ? Shape{in, total} : Shape{total, in}));
    Weight weight{name,
                  found->view.data,
                  found->view.dtype,
                  in,
                  out,
                  found->stride(in_out ? 0 : 1),
                  found->stride(in_out ? 1 : 0)};
    VITRINE_TRY(advance(weight, slice.first * weight.col_stride));
    weight.group = slice.group;
    weight.group_stride = slice.step * weight.col_stride;
    return weight;
}

Status Binder::matrix(const std::string& name, const std::string& tensor, std::int64_t in, std::int64_t out,
                      Stored stored, Slice slice) {
    VITRINE_ASSIGN(Weight weight, stored_matrix(name, tensor, in, out, stored, slice));
    model_.add(std::move(weight));
    return {};
}

Result<Weight> Binder::stored_vector(const std::string& name, const std::string& tensor, std::int64_t size,
                                     Slice slice) const {
    VITRINE_ASSIGN(const auto* found, require(tensor, Shape{slice.total > 0 ? slice.total : size}));
    const std::int64_t stride = found->stride(0);
    Weight weight{name, found->view.data, found->view.dtype, 1, size, size * stride, stride};
    VITRINE_TRY(advance(weight, slice.first * stride));
    weight.group = slice.group;
    weight.group_stride = slice.step * weight.col_stride;
    return weight;
}

Status Binder::vector(const std::string& name, const std::string& tensor, std::int64_t size, Slice slice) {
    VITRINE_ASSIGN(Weight weight, stored_vector(name, tensor, size, slice));
    model_.add(std::move(weight));
    return {};
}

void Binder::add_made(const std::string& name, std::vector<float> values) {
    const auto kept = std::make_shared<const std::vector<float>>(std::move(values));
    model_.made.push_back(kept);
    const auto size = static_cast<std::int64_t>(kept->size());
    model_.add({name, reinterpret_cast<const std::byte*>(kept->data()), DType::f32, 1, size, size, 1});
}

Status Binder::shifted_vector(const std::string& name, const std::string& tensor, std::int64_t size,
                              float plus) {
    VITRINE_ASSIGN(const Weight weight, stored_vector(name, tensor, size, {}));
    Tensor values = widened(weight);
    if (source_.whole_norms) plus = 0.0F;
    for (float& value : values.data)
        value += plus;
    add_made(name, std::move(values.data));
    return {};
}

Status Binder::flattened(const std::string& name, const std::string& tensor, std::int64_t rows,
                         std::int64_t cols) {
    VITRINE_ASSIGN(const Weight weight, stored_matrix(name, tensor, rows, cols, Stored::in_out, {}));
    add_made(name, widened(weight).data);
    return {};
}

Status Binder::joined_vectors(const std::string& name, const std::vector<std::string>& tensors,
                              std::int64_t size) {
    std::vector<float> values;
    for (const std::string& tensor : tensors) {
        VITRINE_ASSIGN(const Weight weight, stored_vector(name, tensor, size, {}));
        const Tensor part = widened(weight);
        values.insert(values.end(), part.data.begin(), part.data.end());
    }
    add_made(name, std::move(values));
    return {};
}

void Binder::tie_unembedding() {
    const Weight table = model_.at(model_.find("W_E"));
    model_.add(
        {"unembed.W_U", table.data, table.dtype, table.cols, table.rows, table.col_stride, table.row_stride});
}

} // namespace vitrine::model
