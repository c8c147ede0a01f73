#include "core/backend/cpu/width/exponential.h"
#include "core/backend/cpu/width/hyperbolic.h"
#include "core/backend/cpu/width/loops.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

template <typename S>
void scale(S factor, std::int64_t count, S* x) {
    for_each_vector<S>(count, [&](std::int64_t i, int lanes) {
        store_some<S>(x + i, lanes, load_some(x + i, lanes, S{0}) * factor);
    });
}

template <typename S>
void add(const S* a, const S* b, std::int64_t count, S* out) {
    for_each_vector<S>(count, [&](std::int64_t i, int lanes) {
        store_some<S>(out + i, lanes, load_some(a + i, lanes, S{0}) + load_some(b + i, lanes, S{0}));
    });
}

template <typename S>
void clamp(S bound, std::int64_t count, S* x) {
    for_each_vector<S>(count, [&](std::int64_t i, int lanes) {
        Vector<S> value = load_some(x + i, lanes, S{0});
        value = value > bound ? Vector<S>{} + bound : value;
        store_some<S>(x + i, lanes, value < -bound ? Vector<S>{} - bound : value);
    });
}

template <typename S>
void cap(S cap, std::int64_t count, S* x) {
    for_each_vector<S>(count, [&](std::int64_t i, int lanes) {
        store_some<S>(x + i, lanes, hyperbolic_tangent<S>(load_some(x + i, lanes, S{0}) / cap) * cap);
    });
}

template void clamp(float, std::int64_t, float*);
template void clamp(double, std::int64_t, double*);
template void cap(float, std::int64_t, float*);
template void cap(double, std::int64_t, double*);
template void scale(float, std::int64_t, float*);
template void scale(double, std::int64_t, double*);
template void add(const float*, const float*, std::int64_t, float*);
template void add(const double*, const double*, std::int64_t, double*);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
