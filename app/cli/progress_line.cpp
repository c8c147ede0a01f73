#include "app/cli/progress_line.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>

#include <fmt/format.h>
#include <unistd.h>

namespace vitrine::cli {

namespace {

std::atomic<bool> line_is_shown = false;

struct Clock {
    std::mutex mutex;
    std::chrono::steady_clock::time_point last =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
};

} // namespace

Progress progress_line() {
    if (isatty(STDERR_FILENO) == 0) return {};
    return [clock = std::make_shared<Clock>()](double share, const std::string& what) {
        const std::lock_guard lock(clock->mutex);
        const auto now = std::chrono::steady_clock::now();
        if (now - clock->last < std::chrono::milliseconds(100)) return;
        clock->last = now;
        const std::string line = fmt::format("\r\x1b[K{:3.0f} %  {}", 100 * share, what);
        std::fwrite(line.data(), 1, line.size(), stderr);
        std::fflush(stderr);
        line_is_shown = true;
    };
}

void clear_progress_line() {
    if (line_is_shown.exchange(false)) {
        std::fputs("\r\x1b[K", stderr);
        std::fflush(stderr);
    }
}

} // namespace vitrine::cli
