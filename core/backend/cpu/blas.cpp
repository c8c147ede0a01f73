#include "core/backend/cpu/blas.h"

#include <cstdint>
#include <type_traits>

#include <dlfcn.h>

namespace vitrine::backend::cpu {

namespace {

// oneDNN (dnnl.h): row-major, "dnnl_status_t dnnl_sgemm(...)"; dnnl_dim_t is int64.
using DnnlSgemm = int (*)(char, char, std::int64_t, std::int64_t, std::int64_t, float, const float*,
                          std::int64_t, const float*, std::int64_t, float, float*, std::int64_t);
using OmpSetThreads = void (*)(int);
using BlisSetThreads = void (*)(std::int64_t); // dim_t
// BLAS, column-major.
using BlasSgemm = void (*)(const char*, const char*, const int*, const int*, const int*, const float*,
                           const float*, const int*, const float*, const int*, const float*, float*,
                           const int*);

template <typename Function>
Function symbol(void* library, const char* name) {
    return library == nullptr ? nullptr : reinterpret_cast<Function>(dlsym(library, name));
}

/// The libraries stay loaded to the end: OpenMP's threads cannot be unloaded safely. RTLD_LOCAL keeps their
/// BLAS symbols from answering for another library's.
void* open_library(const char* name) { return dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE); }

struct Dnnl {
    DnnlSgemm sgemm = nullptr;
    OmpSetThreads set_threads = nullptr;

    Dnnl() {
        void* library = open_library("libdnnl.so.2");
        sgemm = symbol<DnnlSgemm>(library, "dnnl_sgemm");
        // dlsym looks through the library's dependencies too: this is the OpenMP it was built with.
        set_threads = symbol<OmpSetThreads>(library, "omp_set_num_threads");
    }
};

const Dnnl& dnnl() {
    static const Dnnl loaded;
    return loaded;
}

BlasSgemm blis() {
    static const BlasSgemm loaded = [] {
        void* library = open_library("libblis.so.4");
        const auto set_threads = symbol<BlisSetThreads>(library, "bli_thread_set_num_threads");
        if (set_threads == nullptr) return BlasSgemm{nullptr};
        set_threads(1);
        return symbol<BlasSgemm>(library, "sgemm_");
    }();
    return loaded;
}

} // namespace

bool available(Routine routine) {
    switch (routine) {
    case Routine::packed:
    case Routine::eigen:
        return true;
    case Routine::onednn:
        return dnnl().sgemm != nullptr && dnnl().set_threads != nullptr;
    case Routine::blis:
        return blis() != nullptr;
    }
    return false;
}

template <typename S>
void library_gemm(Routine routine, const Gemm& shape, const S* x, const S* w, S* y) {
    if constexpr (std::is_same_v<S, float>) {
        if (routine == Routine::onednn) {
            // OpenMP's thread count belongs to the calling thread: one, so that it never starts (spinning)
            // workers of its own beside our pool.
            thread_local bool alone = false;
            if (!alone) dnnl().set_threads(1);
            alone = true;
            dnnl().sgemm('N', shape.w_transposed ? 'T' : 'N', shape.rows, shape.columns, shape.inner, 1.0F, x,
                         shape.x_stride, w, shape.w_stride, 0.0F, y, shape.y_stride);
            return;
        }
        if (routine == Routine::blis) {
            const float one = 1.0F;
            const float zero = 0.0F;
            blis()(shape.w_transposed ? "T" : "N", "N", &shape.columns, &shape.rows, &shape.inner, &one, w,
                   &shape.w_stride, x, &shape.x_stride, &zero, y, &shape.y_stride);
            return;
        }
    }
    kernels<S>().gemm(shape, x, w, y);
}

template void library_gemm(Routine, const Gemm&, const float*, const float*, float*);
template void library_gemm(Routine, const Gemm&, const double*, const double*, double*);

} // namespace vitrine::backend::cpu
