#include "app/cli/timing.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace vitrine::cli {

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::uint64_t peak_memory() {
    std::FILE* status = std::fopen("/proc/self/status", "r");
    if (status == nullptr) return 0;
    char line[256];
    unsigned long long kilobytes = 0;
    while (std::fgets(line, sizeof line, status) != nullptr)
        if (std::strncmp(line, "VmHWM:", 6) == 0) std::sscanf(line + 6, "%llu", &kilobytes);
    std::fclose(status);
    return static_cast<std::uint64_t>(kilobytes) * 1024;
}

void reset_peak_memory() {
    std::FILE* file = std::fopen("/proc/self/clear_refs", "w");
    if (file == nullptr) return;
    std::fputs("5", file); // proc(5): sets VmHWM to the present size
    std::fclose(file);
}

} // namespace vitrine::cli
