#pragma once
// Product routines of other libraries, loaded when they are asked for.
#include "core/backend/cpu/kernels.h"
#include "core/backend/cpu/routine.h"

namespace vitrine::backend::cpu {

/// Whether a routine can be used here. Loads its library.
bool available(Routine routine);

/// y = x · w through one of the libraries, on the calling thread alone. The routine must be available, and
/// not `packed`.
template <typename S>
void library_gemm(Routine routine, const Gemm& shape, const S* x, const S* w, S* y);

} // namespace vitrine::backend::cpu
