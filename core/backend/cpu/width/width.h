#pragma once
// What the sources of this folder give, once for each vector width. They are compiled several times with
// different processor flags, so everything in them lives in a namespace of that width: a function shared with
// the rest of the program could be linked in its AVX-512 form and run on a processor without it.
#include "core/backend/cpu/kernels.h"

namespace vitrine::backend::cpu {

namespace baseline {
template <typename S>
Kernels<S> table();
}
namespace avx2 {
template <typename S>
Kernels<S> table();
}
namespace avx512 {
template <typename S>
Kernels<S> table();
}

} // namespace vitrine::backend::cpu
