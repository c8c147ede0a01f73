#pragma once
// Puts a file's tensors under the model's own names, checking that they exist and have the right shape.
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/formats/tensor_files.h"
#include "core/model/model.h"

namespace vitrine::model {

/// How the file stores a matrix of a product.
enum class Stored { in_out, out_in };

/// Part of a fused matrix: of its `total` outputs those from `first` on, or `group` of every `step` of them.
struct Slice {
    std::int64_t first = 0;
    std::int64_t total = 0; ///< 0: the whole matrix
    std::int64_t group = 0; ///< 0: the outputs follow each other
    std::int64_t step = 0;
};

/// Where tensors under the family's names come from, if it is no folder with config.json.
struct BinderSource {
    std::string described_by = "config.json"; ///< what calls for the tensors
    bool whole_norms = false;                 ///< norm weights hold 1 + w already
    /// A tensor's own name in the file; none: it is the family's.
    std::function<std::string(const std::string&)> name_in_file = {};
};

class Binder {
public:
    /// `prefixes`: what tensor names may start with, tried in order ("transformer.", "").
    Binder(Model& model, const formats::TensorFiles& files, std::vector<std::string> prefixes,
           BinderSource source = {});

    /// A matrix [in, out] of products or a table [rows, cols] (in_out).
    Status matrix(const std::string& name, const std::string& tensor, std::int64_t in, std::int64_t out,
                  Stored stored, Slice slice = {});
    Status vector(const std::string& name, const std::string& tensor, std::int64_t size, Slice slice = {});
    /// A float32 copy with `plus` added to every element (norms that multiply by 1 + w), unless the source
    /// holds the sums.
    Status shifted_vector(const std::string& name, const std::string& tensor, std::int64_t size, float plus);
    /// Vectors of `size` elements each, one behind the other in a float32 copy.
    Status joined_vectors(const std::string& name, const std::vector<std::string>& tensors,
                          std::int64_t size);

    /// W_U as the transpose of W_E.
    void tie_unembedding();

    bool has(const std::string& tensor) const { return find(tensor) != nullptr; }

    /// Names in the file of the tensors that were not bound.
    std::vector<std::string> unused() const;

    /// A float32 copy of a matrix [rows, cols] as one vector, row after row.
    Status flattened(const std::string& name, const std::string& tensor, std::int64_t rows,
                     std::int64_t cols);

private:
    Result<Weight> stored_matrix(const std::string& name, const std::string& tensor, std::int64_t in,
                                 std::int64_t out, Stored stored, Slice slice) const;
    Result<Weight> stored_vector(const std::string& name, const std::string& tensor, std::int64_t size,
                                 Slice slice) const;
    void add_made(const std::string& name, std::vector<float> values);
    const formats::StoredTensor* find(const std::string& tensor) const;
    /// Moves the weight's first element.
    Status advance(Weight& weight, std::int64_t elements) const;
    Result<const formats::StoredTensor*> require(const std::string& tensor, const Shape& shape) const;
    std::string name_in_file(const std::string& tensor) const;

    Model& model_;
    const formats::TensorFiles& files_;
    std::vector<std::string> prefixes_;
    BinderSource source_;
    mutable std::set<const formats::StoredTensor*> used_;
};

} // namespace vitrine::model
