#include "core/backend/cpu/weights.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include "core/base/mapped_pages.h"
#include "core/base/quantized.h"

namespace vitrine::backend::cpu {

namespace {

/// Runs of contiguous elements: rows, or columns of a transposed view.
bool finite(const model::Weight& weight, ThreadPool& pool) {
    const bool by_rows = weight.rows_are_dense() || (weight.rows == 1 && weight.group == 0);
    const std::int64_t runs = by_rows ? weight.rows : weight.cols;
    const std::int64_t length = by_rows ? weight.cols : weight.rows;
    const std::int64_t runs_per_job = std::max<std::int64_t>(1, 65536 / std::max<std::int64_t>(1, length));
    std::atomic<bool> good{true};
    pool.parallel_for(
        static_cast<std::size_t>((runs + runs_per_job - 1) / runs_per_job), [&](std::size_t job) {
            const std::int64_t first = static_cast<std::int64_t>(job) * runs_per_job;
            for (std::int64_t run = first; run < std::min(runs, first + runs_per_job); ++run)
                if (!finite_elements(weight.dtype, by_rows ? weight.at(run, 0) : weight.at(0, run), length))
                    good = false;
        });
    return good;
}

/// Tables are read a row at a time by token or position.
bool is_table(const model::Weight& weight) { return weight.name == "W_E" || weight.name == "W_pos"; }

} // namespace

template <typename S>
Result<Weights<S>> Weights<S>::load(const model::Model& model, Routine routine, ThreadPool& pool,
                                    const CancelToken& cancel, const Progress& progress) {
    Weights loaded;
    loaded.model_ = &model;
    loaded.routine_ = routine;
    loaded.vectors_.resize(model.weights.size());
    loaded.matrices_.resize(model.weights.size());
    const MappedPages pages;
    for (std::size_t i = 0; i < model.weights.size(); ++i) {
        const model::Weight& weight = model.weights[i];
        VITRINE_TRY(cancel.check());
        if (progress)
            progress(static_cast<double>(i) / static_cast<double>(model.weights.size()), weight.name);
        if (weight.rows == 0 || weight.cols == 0) continue;
        if (!finite(weight, pool)) {
            return fail(
                Code::malformed,
                fmt::format("The weight {} of {} holds values that are not finite; download the model "
                            "again.",
                            weight.name, model.path.empty() ? "this model" : model.path));
        }
        if (weight.rows == 1) {
            const Tensor wide = model::widened(weight);
            loaded.vectors_[i].assign(wide.data.begin(), wide.data.end());
        } else if (!is_table(weight)) {
            loaded.matrices_[i] = std::make_unique<Matrix<S>>(weight, routine, pool);
        }
        const auto& matrix = loaded.matrices_[i];
        if (matrix == nullptr || !matrix->in_place()) pages.drop(weight.data, weight.span_bytes());
    }
    return loaded;
}

template <typename S>
const Matrix<S>& Weights<S>::matrix(model::WeightId id, ThreadPool& pool) {
    auto& matrix = matrices_[static_cast<std::size_t>(id)];
    if (matrix == nullptr) matrix = std::make_unique<Matrix<S>>(model_->at(id), routine_, pool);
    return *matrix;
}

template <typename S>
std::uint64_t Weights<S>::resident_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& vector : vectors_)
        bytes += vector.size() * sizeof(S);
    for (const auto& matrix : matrices_)
        if (matrix != nullptr) bytes += matrix->resident_bytes();
    return bytes;
}

template class Weights<float>;
template class Weights<double>;

} // namespace vitrine::backend::cpu
