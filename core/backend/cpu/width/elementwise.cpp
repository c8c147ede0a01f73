#include "core/backend/cpu/width/exponential.h"
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

template void scale(float, std::int64_t, float*);
template void scale(double, std::int64_t, double*);
template void add(const float*, const float*, std::int64_t, float*);
template void add(const double*, const double*, std::int64_t, double*);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
