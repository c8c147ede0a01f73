#pragma once
// A model's weights on the CPU: vectors widened, matrices as their product routine wants them, embedding
// tables left where they are (few of their rows are ever read).
#include <memory>
#include <optional>
#include <vector>

#include "core/backend/cpu/matrix.h"
#include "core/base/cancel.h"
#include "core/base/result.h"

namespace vitrine::backend::cpu {

template <typename S>
class Weights {
public:
    /// The model must outlive the result. Errors: malformed (a weight is not finite), cancelled.
    static Result<Weights> load(const model::Model& model, Routine routine, ThreadPool& pool,
                                const CancelToken& cancel, const Progress& progress);

    /// As stored.
    const model::Weight& stored(model::WeightId id) const { return model_->at(id); }
    /// nullptr for no_weight.
    const S* vector(model::WeightId id) const {
        return id == model::no_weight ? nullptr : vectors_[static_cast<std::size_t>(id)].data();
    }
    /// Prepared at load, or now if the weight is used both as a table and in a product.
    const Matrix<S>& matrix(model::WeightId id, ThreadPool& pool);

    std::uint64_t resident_bytes() const;

private:
    const model::Model* model_ = nullptr;
    Routine routine_ = Routine::packed;
    std::vector<std::vector<S>> vectors_;                    // by WeightId
    std::vector<std::unique_ptr<const Matrix<S>>> matrices_; // by WeightId
};

} // namespace vitrine::backend::cpu
