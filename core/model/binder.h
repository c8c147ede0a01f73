#pragma once
// Puts a file's tensors under the model's own names, checking that they exist and have the right shape.
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/formats/tensor_files.h"
#include "core/model/model.h"

namespace vitrine::model {

/// How the file stores a matrix of a product.
enum class Stored { in_out, out_in };

/// Part of a fused matrix: outputs first … first + count of `total`.
struct Slice {
    std::int64_t first = 0;
    std::int64_t total = 0; ///< 0: the whole matrix
};

class Binder {
public:
    /// `prefixes`: what tensor names may start with, tried in order ("transformer.", "").
    Binder(Model& model, const formats::TensorFiles& files, std::vector<std::string> prefixes);

    /// A matrix [in, out] of products or a table [rows, cols] (in_out).
    Status matrix(const std::string& name, const std::string& tensor, std::int64_t in, std::int64_t out,
                  Stored stored, Slice slice = {});
    Status vector(const std::string& name, const std::string& tensor, std::int64_t size, Slice slice = {});

    /// W_U as the transpose of W_E.
    void tie_unembedding();

    bool has(const std::string& tensor) const { return find(tensor) != nullptr; }

private:
    const formats::StoredTensor* find(const std::string& tensor) const;
    /// Moves the weight's first element.
    Status advance(Weight& weight, std::int64_t elements) const;
    Result<const formats::StoredTensor*> require(const std::string& tensor, const Shape& shape) const;

    Model& model_;
    const formats::TensorFiles& files_;
    std::vector<std::string> prefixes_;
};

} // namespace vitrine::model
