#include "core/backend/cpu/width/exponential.h"
#include "core/backend/cpu/width/loops.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

template <typename S>
LogitSums logit_sums(const S* logits, std::int64_t count) {
    constexpr std::int64_t lanes = VectorOf<S>::lanes;
    constexpr S lowest = -__builtin_huge_val();
    Vector<S> highest = Vector<S>{} + lowest;
    for_each_vector<S>(count, [&](std::int64_t i, int some) {
        const Vector<S> x = load_some(logits + i, some, lowest);
        highest = x > highest ? x : highest;
    });
    S top = highest[0];
    for (int lane = 1; lane < lanes; ++lane)
        top = highest[lane] > top ? highest[lane] : top;

    // Short runs are added up in S and the runs in double: float alone would lose digits over a vocabulary.
    LogitSums sums;
    sums.max = top;
    constexpr std::int64_t run = 32 * lanes;
    for (std::int64_t begin = 0; begin < count; begin += run) {
        const std::int64_t length = count - begin < run ? count - begin : run;
        Vector<S> weight = {};
        Vector<S> first = {};
        Vector<S> second = {};
        for_each_vector<S>(length, [&](std::int64_t i, int some) {
            const Vector<S> difference = load_some(logits + begin + i, some, lowest) - top;
            const Vector<S> e = exponential<S>(difference);
            // 0 · −∞ is not a number: what has no weight has no moments.
            const Vector<S> d = e == S{0} ? Vector<S>{} : difference;
            weight += e;
            first += e * d;
            second += e * d * d;
        });
        for (int lane = 0; lane < lanes; ++lane) {
            sums.weight += weight[lane];
            sums.first += first[lane];
            sums.second += second[lane];
        }
    }
    return sums;
}

template LogitSums logit_sums(const float*, std::int64_t);
template LogitSums logit_sums(const double*, std::int64_t);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
