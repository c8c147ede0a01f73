#include "core/engine/workbench.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <new>
#include <thread>

#include "core/base/log.h"

namespace vitrine::engine {

namespace {

using Clock = std::chrono::steady_clock;
using Closure = std::function<void()>;
using Work = std::function<Closure(Engine&, const CancelToken&, const Progress&)>;

struct Job {
    JobId id = 0;
    std::string tag;
    Work work;
    Priority priority = Priority::normal;
    CancelToken cancel;  ///< nobody wants the job any more
    CancelToken attempt; ///< this call of `work` shall stop; of a normal job the same flag
    bool gave_way = false;
    JobStatus status;
    Clock::time_point started;

    void stop() {
        cancel.cancel();
        attempt.cancel();
    }
};

/// on_change is called at most this often while a job reports progress.
constexpr auto change_interval = std::chrono::milliseconds(50);

} // namespace

struct Workbench::Shared {
    explicit Shared(std::function<void(Closure)> deliver_to) : deliver(std::move(deliver_to)) {}

    std::function<void(Closure)> deliver;
    mutable std::mutex mutex;
    std::condition_variable wake;
    std::deque<Job> waiting;
    std::optional<Job> current;
    std::map<std::string, CancelToken>
        newest; ///< of each tag; a result that still waits for delivery obeys it
    JobId last_id = 0;
    bool stopping = false;
    Closure listener;
    Clock::time_point last_change;
    std::thread thread;

    void changed() {
        Closure told;
        {
            const std::lock_guard lock(mutex);
            told = listener;
            last_change = Clock::now();
        }
        if (told) deliver(told);
    }

    void progress(JobId id, double share, const std::string& what) {
        {
            const std::lock_guard lock(mutex);
            if (!current || current->id != id) return;
            current->status.share = share;
            current->status.doing = what;
            if (Clock::now() - last_change < change_interval) return;
        }
        changed();
    }

    /// Takes the next job, or nothing when the workbench closes.
    bool take() {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return stopping || !waiting.empty(); });
        if (stopping) return false;
        auto next = std::find_if(waiting.begin(), waiting.end(),
                                 [](const Job& job) { return job.priority == Priority::normal; });
        if (next == waiting.end()) next = waiting.begin();
        current = std::move(*next);
        waiting.erase(next);
        current->status.running = true;
        current->started = Clock::now();
        return true;
    }

    void serve() {
        Engine engine; // lives and dies on this thread
        while (take()) {
            changed();
            const JobId id = current->id; // only this thread changes `current`
            const CancelToken cancel = current->cancel, attempt = current->attempt;
            Closure result;
            try {
                result = current->work(engine, attempt, [this, id](double share, const std::string& what) {
                    progress(id, share, what);
                });
            } catch (const std::bad_alloc&) { // outside the engine, which tells of its own
                spdlog::error("There is not enough memory for {}.", current->status.label);
            }
            {
                const std::lock_guard lock(mutex);
                if (current->gave_way && !cancel.cancelled() && !stopping) {
                    current->gave_way = false;
                    current->attempt = CancelToken();
                    current->status.running = false;
                    waiting.push_front(std::move(*current));
                    result = nullptr;
                }
                current.reset();
            }
            // The asker may cancel between here and delivery: the closure looks once more.
            if (result)
                deliver([cancel, result = std::move(result)] {
                    if (!cancel.cancelled()) result();
                });
            changed();
        }
    }
};

Workbench::Workbench(std::function<void(std::function<void()>)> deliver)
    : shared_(std::make_unique<Shared>(std::move(deliver))) {
    shared_->thread = std::thread([this] { shared_->serve(); });
}

Workbench::~Workbench() {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->stopping = true;
        shared_->listener = nullptr;
        for (Job& job : shared_->waiting)
            job.stop();
        if (shared_->current) shared_->current->stop();
    }
    shared_->wake.notify_all();
    shared_->thread.join();
}

JobId Workbench::post(std::string tag, std::string label, Work work, Priority priority) {
    JobId id = 0;
    {
        const std::lock_guard lock(shared_->mutex);
        id = ++shared_->last_id;
        Job job;
        job.priority = priority;
        if (priority == Priority::normal) job.attempt = job.cancel;
        auto& current = shared_->current;
        if (current && !tag.empty() && current->tag == tag) current->stop();
        if (current && current->priority == Priority::background && priority == Priority::normal) {
            current->gave_way = true;
            current->attempt.cancel();
        }
        if (!tag.empty()) {
            if (const auto older = shared_->newest.find(tag); older != shared_->newest.end())
                older->second.cancel();
            shared_->newest.insert_or_assign(tag, job.cancel);
            std::erase_if(shared_->waiting, [&](const Job& waiting) { return waiting.tag == tag; });
        }
        job.id = id;
        job.tag = std::move(tag);
        job.work = std::move(work);
        job.status.id = id;
        job.status.label = std::move(label);
        shared_->waiting.push_back(std::move(job));
    }
    shared_->wake.notify_one();
    shared_->changed();
    return id;
}

void Workbench::cancel(JobId id) {
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->current && shared_->current->id == id) shared_->current->stop();
        for (Job& job : shared_->waiting)
            if (job.id == id) job.stop();
        std::erase_if(shared_->waiting, [&](const Job& job) { return job.id == id; });
    }
    shared_->changed();
}

void Workbench::cancel_all() {
    for (const JobStatus& job : jobs())
        cancel(job.id);
}

std::vector<JobStatus> Workbench::jobs() const {
    const std::lock_guard lock(shared_->mutex);
    std::vector<JobStatus> all;
    if (shared_->current) {
        all.push_back(shared_->current->status);
        all.back().seconds = std::chrono::duration<double>(Clock::now() - shared_->current->started).count();
    }
    for (const Job& job : shared_->waiting)
        all.push_back(job.status);
    return all;
}

void Workbench::on_change(std::function<void()> listener) {
    const std::lock_guard lock(shared_->mutex);
    shared_->listener = std::move(listener);
}

} // namespace vitrine::engine
