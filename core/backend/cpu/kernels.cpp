#include "core/backend/cpu/kernels.h"

#include "core/backend/cpu/width/width.h"

namespace vitrine::backend::cpu {

namespace {

enum class Width { baseline, avx2, avx512 };

Width detect() {
#ifdef VITRINE_X86_WIDTHS
    __builtin_cpu_init();
    // Every processor with AVX2 has F16C; clang does not know that name here.
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx512) return Width::avx512;
    if (avx2) return Width::avx2;
#endif
    return Width::baseline;
}

Width width() {
    static const Width found = detect();
    return found;
}

} // namespace

std::string_view vector_width() {
    switch (width()) {
    case Width::avx512:
        return "avx512";
    case Width::avx2:
        return "avx2";
    case Width::baseline:
        break;
    }
    return "baseline";
}

template <typename S>
const Kernels<S>& kernels() {
#ifdef VITRINE_X86_WIDTHS
    static const Kernels<S> table = width() == Width::avx512 ? avx512::table<S>()
                                    : width() == Width::avx2 ? avx2::table<S>()
                                                             : baseline::table<S>();
#else
    static const Kernels<S> table = baseline::table<S>();
#endif
    return table;
}

template const Kernels<float>& kernels();
template const Kernels<double>& kernels();

} // namespace vitrine::backend::cpu
