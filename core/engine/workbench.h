#pragma once
// The device thread: jobs are posted to it from any thread, one runs at a time, newer replaces
// older, and what is background gives way.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/engine/engine.h"

namespace vitrine::engine {

using JobId = std::uint64_t;

/// A job as the status line shows it.
struct JobStatus {
    JobId id = 0;
    std::string label;  ///< "run \"The ship\"", "analysis lens"
    std::string doing;  ///< what Progress said last
    double share = 0;   ///< done, in [0, 1]
    double seconds = 0; ///< since it started; 0 while it waits
    bool running = false;
};

enum class Priority {
    normal,
    /// Runs when nothing else waits. A normal job stops it, and it is called again afterwards: for checks,
    /// replays and pictures that nobody waits for with a finger on a key. What an attempt that was stopped
    /// returns is dropped.
    background,
};

class Workbench {
public:
    /// `deliver` takes closures to where results belong (the window's event loop); it must not run them at
    /// once on the device thread unless that is meant (tests).
    explicit Workbench(std::function<void(std::function<void()>)> deliver);
    /// Cancels what runs and waits for it.
    ~Workbench();

    /// Runs `work` on the device thread; what it returns is run by `deliver`, unless the job was cancelled or
    /// a newer one with the same tag was posted meanwhile. An empty tag replaces nothing.
    JobId post(std::string tag, std::string label,
               std::function<std::function<void()>(Engine&, const CancelToken&, const Progress&)> work,
               Priority priority = Priority::normal);

    void cancel(JobId id);
    void cancel_all();
    std::vector<JobStatus> jobs() const;

    /// Called through `deliver` whenever jobs() changed, at most every 50 ms.
    void on_change(std::function<void()> listener);

private:
    struct Shared;
    std::unique_ptr<Shared> shared_;
};

} // namespace vitrine::engine
