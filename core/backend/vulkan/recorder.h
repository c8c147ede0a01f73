#pragma once
#include <array>
#include <chrono>
#include <deque>
#include <span>

#include "core/backend/vulkan/device.h"
#include "core/base/cancel.h"

namespace vitrine::backend::vulkan {

/// Work-groups along x, y and z.
using Groups = std::array<std::uint32_t, 3>;

/// Records kernels and copies in order and submits them in slices of about a tenth of a second, so that a
/// cancelled job ends soon. Each command sees what the ones before it wrote. The first error is kept: later
/// calls do nothing, and finish() returns it.
class Recorder {
public:
    Recorder(Device& device, CancelToken cancel);
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// One kernel over `groups`; `arguments` follow spec.bindings, `push` is its block of push constants.
    /// `operations` is the estimated count of floating-point operations, which decides where slices end; a
    /// kernel worth more than one slice is cut along its groups.
    template <typename Push>
    void dispatch(const KernelSpec& spec, std::initializer_list<Slice> arguments, const Push& push,
                  Groups groups, double operations) {
        static_assert(sizeof(Push) <= 128 && sizeof(Push) % 4 == 0);
        dispatch_bytes(spec, std::span(arguments.begin(), arguments.size()), &push, sizeof(Push), groups,
                       operations);
    }

    void copy(Slice from, Slice to);
    /// Sets every 32-bit word.
    void fill(Slice to, std::uint32_t word);

    /// The commands until end_parallel() do not read what others of them write: no barriers between them.
    void begin_parallel() { parallel_ = true; }
    void end_parallel();

    /// Records nothing more after the first error.
    void fail_with(Error error);
    bool failed() const { return !status_; }

    /// Submits what is left and waits for all of it.
    Status finish();

private:
    void dispatch_bytes(const KernelSpec& spec, std::span<const Slice> arguments, const void* push,
                        std::uint32_t push_bytes, Groups groups, double operations);
    bool bind(const Pipeline& pipeline, std::span<const Slice> arguments);
    bool ready();
    void after(double operations);
    Status retire();
    void barrier();
    Status flush();

    using Clock = std::chrono::steady_clock;
    struct InFlight {
        std::uint64_t number;
        double operations;
        Clock::time_point submitted;
    };

    Device& device_;
    CancelToken cancel_;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    const Pipeline* bound_ = nullptr;
    double recorded_ = 0; ///< operations in commands_
    bool parallel_ = false;
    std::deque<InFlight> in_flight_;
    Clock::time_point last_done_;
    Status status_;
};

} // namespace vitrine::backend::vulkan
