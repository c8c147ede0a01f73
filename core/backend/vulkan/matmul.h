#pragma once
// Products of activations with matrices stored in panels, and which kernel computes them.
//
// A matrix B [K, N] is stored as panels of W columns: element (k, n) lies at ((n / W)·K + k)·W + n mod W, K
// padded to a multiple of 4 and N to whole groups of panels, with zeros. Panels keep the hot loop's loads
// contiguous.
#include <string>

#include "core/backend/backend.h"
#include "core/backend/vulkan/caps.h"

namespace vitrine::backend::vulkan {

/// Columns of a panel on this device.
std::uint32_t panel_width(const DeviceCaps& caps);
/// What N is padded to: the columns of the widest kernel's tile.
std::uint32_t column_padding(const DeviceCaps& caps);

struct MatmulKernel {
    std::string variant;       ///< suffix of the kernels' names: "registers8x16", "shared128"
    std::string_view inputs;   ///< binding letters of A and B
    std::uint32_t rows = 0;    ///< of C a work-group computes
    std::uint32_t columns = 0; ///< of C a work-group computes
    bool lock_step = false;    ///< one subgroup a work-group
};

/// The kernel for C [M, N] = A [M, K] · B. Every kernel of a device sums over K in the same order, so that
/// the choice by M changes no bits. unsupported for `mixed`.
Result<MatmulKernel> pick_matmul(const DeviceCaps& caps, std::int64_t m, std::int64_t n, std::int64_t k,
                                 Precision precision);

} // namespace vitrine::backend::vulkan
