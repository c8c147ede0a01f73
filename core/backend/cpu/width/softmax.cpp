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

} // namespace

template <typename S>
void softmax_columns(S* block, std::int64_t keys) {
    constexpr std::int64_t lanes = VectorOf<S>::lanes;
    constexpr std::int64_t width = 2 * lanes;
    if (keys == 0) return;
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
    for (std::int64_t j = 0; j < keys; ++j) {
        S* row = block + j * width;
        const Vector<S> left = exponential<S>(load(row) - left_max);
        const Vector<S> right = exponential<S>(load(row + lanes) - right_max);
        left_sum += left;
        right_sum += right;
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
template void softmax_single(float*, std::int64_t);
template void softmax_single(double*, std::int64_t);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
