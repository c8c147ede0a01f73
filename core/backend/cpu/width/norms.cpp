#include "core/backend/cpu/width/exponential.h"
#include "core/backend/cpu/width/loops.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

namespace {

/// Sum of f(x) over a row in four vectors, in an order that depends on its width alone. f(fill) must be 0.
template <typename S, typename F>
S sum_over(const S* x, std::int64_t width, S fill, F f) {
    constexpr std::int64_t lanes = VectorOf<S>::lanes;
    Vector<S> sums[4] = {};
    std::int64_t i = 0;
    for (; i + 4 * lanes <= width; i += 4 * lanes)
        for (int v = 0; v < 4; ++v)
            sums[v] += f(load(x + i + v * lanes));
    for (; i < width; i += lanes) {
        const std::int64_t left = width - i;
        sums[0] += f(load_some(x + i, static_cast<int>(left < lanes ? left : lanes), fill));
    }
    const Vector<S> all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    S sum = 0;
    for (std::int64_t lane = 0; lane < lanes; ++lane)
        sum += all[lane];
    return sum;
}

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

} // namespace

template <typename S>
Moments<S> moments(const model::NormSpec& spec, const S* x, std::int64_t width) {
    Moments<S> found;
    if (spec.kind == model::NormKind::layer)
        found.mean = sum_over<S>(x, width, S{0}, [](Vector<S> v) { return v; }) / static_cast<S>(width);
    const S mean = found.mean;
    const S squares = sum_over<S>(x, width, mean, [&](Vector<S> v) {
        const Vector<S> centred = v - mean;
        return centred * centred;
    });
    found.scale = root(squares / static_cast<S>(width) + static_cast<S>(spec.eps));
    return found;
}

template <typename S>
void normalize(S mean, S scale, const S* x, std::int64_t width, S* out) {
    for_each_vector<S>(width, [&](std::int64_t i, int lanes) {
        store_some<S>(out + i, lanes, (load_some(x + i, lanes, S{0}) - mean) / scale);
    });
}

template <typename S>
void affine(const S* x, const S* weight, const S* bias, std::int64_t width, S* out) {
    for_each_vector<S>(width, [&](std::int64_t i, int lanes) {
        Vector<S> value = load_some(x + i, lanes, S{0});
        if (weight != nullptr) value *= load_some(weight + i, lanes, S{0});
        if (bias != nullptr) value += load_some(bias + i, lanes, S{0});
        store_some(out + i, lanes, value);
    });
}

template Moments<float> moments(const model::NormSpec&, const float*, std::int64_t);
template Moments<double> moments(const model::NormSpec&, const double*, std::int64_t);
template void normalize(float, float, const float*, std::int64_t, float*);
template void normalize(double, double, const double*, std::int64_t, double*);
template void affine(const float*, const float*, const float*, std::int64_t, float*);
template void affine(const double*, const double*, const double*, std::int64_t, double*);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
