#pragma once
// Stopping long work, and saying how far it is.
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"

namespace vitrine {

/// Shared flag between who asks for work and who does it. Copies refer to the same flag.
class CancelToken {
public:
    void cancel() { flag_->store(true, std::memory_order_relaxed); }
    bool cancelled() const { return flag_->load(std::memory_order_relaxed); }

    /// An error of code `cancelled` once cancel() was called.
    Status check() const {
        if (cancelled()) return fail(Code::cancelled, "The job was cancelled.");
        return {};
    }

private:
    std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

/// Called from the working thread: share done in [0, 1] and what is being done. May be empty.
using Progress = std::function<void(double share, const std::string& what)>;

} // namespace vitrine
