#pragma once
#include <chrono>
#include <cstdint>
#include <vector>

namespace vitrine::cli {

/// Milliseconds since it was made.
class Stopwatch {
public:
    double ms() const {
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The middle one, or the mean of the two in the middle; `values` is not empty.
double median(std::vector<double> values);

/// Largest resident size of this process since reset_peak_memory(), in bytes (VmHWM).
std::uint64_t peak_memory();
void reset_peak_memory();

} // namespace vitrine::cli
