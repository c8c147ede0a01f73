// Softmax down the columns of a block [keys][panel_columns]: each column is one query, so its bits do not
// depend on its neighbours, and keys that are hidden (−∞) at either end change nothing.
#include "core/backend/cpu/width/exponential.h"
#include "core/backend/cpu/width/loops.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

namespace {

template <typename S>
inline Vector<S> larger(Vector<S> a, Vector<S> b) {
    return a > b ? a : b;
}

/// 1 / sum, and 0 for a column that nothing was seen in.
template <typename S>
inline Vector<S> inverse(Vector<S> sum) {
    return sum == S{0} ? Vector<S>{} : S{1} / sum;
}

/// `found`: where to write what each column was found to have; nullptr: nowhere, and it is not measured.
template <typename S, bool measured>
void softmax_block(S* block, std::int64_t keys, const ColumnSums<S>* found) {
    constexpr std::int64_t lanes = VectorOf<S>::lanes;
    constexpr std::int64_t width = 2 * lanes;
    Vector<S> left_max = load(block);
    Vector<S> right_max = load(block + lanes);
    for (std::int64_t j = 1; j < keys; ++j) {
        left_max = larger<S>(load(block + j * width), left_max);
        right_max = larger<S>(load(block + j * width + lanes), right_max);
    }
    // −∞ less −∞ is not a number: a column without visible keys is measured from 0.
    constexpr S lowest = -__builtin_huge_val();
    left_max = left_max == lowest ? Vector<S>{} : left_max;
    right_max = right_max == lowest ? Vector<S>{} : right_max;
    Vector<S> left_sum = {};
    Vector<S> right_sum = {};
    Vector<S> left_moment = {};
    Vector<S> right_moment = {};
    for (std::int64_t j = 0; j < keys; ++j) {
        S* row = block + j * width;
        const Vector<S> left_less = load(row) - left_max;
        const Vector<S> right_less = load(row + lanes) - right_max;
        const Vector<S> left = exponential<S>(left_less);
        const Vector<S> right = exponential<S>(right_less);
        left_sum += left;
        right_sum += right;
        if constexpr (measured) { // 0 · −∞ is not a number
            left_moment += left == S{0} ? Vector<S>{} : left * left_less;
            right_moment += right == S{0} ? Vector<S>{} : right * right_less;
        }
        store(row, left);
        store(row + lanes, right);
    }
    const Vector<S> left_scale = inverse<S>(left_sum);
    const Vector<S> right_scale = inverse<S>(right_sum);
    for (std::int64_t j = 0; j < keys; ++j) {
        S* row = block + j * width;
        store(row, load(row) * left_scale);
        store(row + lanes, load(row + lanes) * right_scale);
    }
    if constexpr (measured) {
        store(found->highest, left_max);
        store(found->highest + lanes, right_max);
        store(found->inverse, left_scale);
        store(found->inverse + lanes, right_scale);
        store(found->moment, left_moment);
        store(found->moment + lanes, right_moment);
    }
}

} // namespace

template <typename S>
void softmax_columns(S* block, std::int64_t keys) {
    if (keys > 0) softmax_block<S, false>(block, keys, nullptr);
}

template <typename S>
void softmax_measured(S* block, std::int64_t keys, const ColumnSums<S>& found) {
    if (keys > 0) softmax_block<S, true>(block, keys, &found);
}

template <typename S>
void softmax_part(S* block, std::int64_t keys, const S* highest, const S* inverse) {
    constexpr std::int64_t lanes = VectorOf<S>::lanes;
    const Vector<S> left_max = load(highest);
    const Vector<S> right_max = load(highest + lanes);
    const Vector<S> left_scale = load(inverse);
    const Vector<S> right_scale = load(inverse + lanes);
    for (std::int64_t j = 0; j < keys; ++j) {
        S* row = block + j * 2 * lanes;
        store(row, exponential<S>(load(row) - left_max) * left_scale);
        store(row + lanes, exponential<S>(load(row + lanes) - right_max) * right_scale);
    }
}

template <typename S>
void fold_keys(const S* block, std::int64_t keys, S* largest, S* sum, S* by_key) {
    constexpr std::int64_t lanes = VectorOf<S>::lanes;
    Vector<S> left_max = load(largest);
    Vector<S> right_max = load(largest + lanes);
    Vector<S> left_sum = load(sum);
    Vector<S> right_sum = load(sum + lanes);
    for (std::int64_t j = 0; j < keys; ++j) {
        const Vector<S> left = load(block + j * 2 * lanes);
        const Vector<S> right = load(block + j * 2 * lanes + lanes);
        left_max = larger<S>(left, left_max);
        right_max = larger<S>(right, right_max);
        left_sum += left;
        right_sum += right;
        S both[lanes];
        store(static_cast<S*>(both), left + right);
        for (int half = static_cast<int>(lanes) / 2; half > 0; half /= 2)
            for (int i = 0; i < half; ++i)
                both[i] += both[i + half];
        by_key[j] = both[0];
    }
    store(largest, left_max);
    store(largest + lanes, right_max);
    store(sum, left_sum);
    store(sum + lanes, right_sum);
}

template <typename S>
void softmax_single(S* x, std::int64_t keys) {
    if (keys == 0) return;
    S highest = x[0];
    for (std::int64_t j = 1; j < keys; ++j)
        highest = x[j] > highest ? x[j] : highest;
    if (highest == -static_cast<S>(__builtin_huge_val())) highest = 0;
    for_each_vector<S>(keys, [&](std::int64_t j, int lanes) {
        store_some(x + j, lanes, exponential<S>(load_some(x + j, lanes, highest) - highest));
    });
    S sum = 0; // in the order of softmax_columns
    for (std::int64_t j = 0; j < keys; ++j)
        sum += x[j];
    const S scale = sum == S{0} ? S{0} : S{1} / sum;
    for (std::int64_t j = 0; j < keys; ++j)
        x[j] *= scale;
}

template void softmax_columns(float*, std::int64_t);
template void softmax_columns(double*, std::int64_t);
template void softmax_measured(float*, std::int64_t, const ColumnSums<float>&);
template void softmax_measured(double*, std::int64_t, const ColumnSums<double>&);
template void softmax_part(float*, std::int64_t, const float*, const float*);
template void softmax_part(double*, std::int64_t, const double*, const double*);
template void fold_keys(const float*, std::int64_t, float*, float*, float*);
template void fold_keys(const double*, std::int64_t, double*, double*, double*);
template void softmax_single(float*, std::int64_t);
template void softmax_single(double*, std::int64_t);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
