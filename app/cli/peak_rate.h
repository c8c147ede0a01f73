#pragma once
#include "core/backend/backend.h"

namespace vitrine::cli {

/// The best rate of the device's own matrix product, in FLOP a second: 512 × 2048 × 2048 in float32 (or with
/// the precision asked for), the fastest of several runs. It takes about a second on a slow device.
Result<double> peak_rate(backend::Backend& backend, backend::Precision precision, const CancelToken& cancel);

} // namespace vitrine::cli
