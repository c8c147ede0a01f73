#include "core/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <sched.h>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace vitrine {

namespace {

int available_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

} // namespace

struct ThreadPool::Shared {
    std::mutex mutex;
    std::condition_variable work_ready;
    std::condition_variable work_done;
    std::uint64_t generation = 0; // counts loops, so that a worker joins each once
    int busy = 0;                 // workers inside the current loop
    bool stopping = false;

    const std::function<void(std::size_t)>* body = nullptr;
    std::size_t count = 0;
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure; // the first of the current loop

    std::vector<std::thread> workers;

    void drain() {
        try {
            for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1))
                (*body)(i);
        } catch (...) { // an exception that left a thread would end the program
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
            next.store(count);
        }
    }

    void serve() {
        std::uint64_t seen = 0;
        std::unique_lock lock(mutex);
        for (;;) {
            work_ready.wait(lock, [&] { return stopping || generation != seen; });
            if (stopping) return;
            seen = generation;
            if (body == nullptr) continue; // woke after the loop had ended
            ++busy;
            lock.unlock();
            drain();
            lock.lock();
            if (--busy == 0) work_done.notify_one();
        }
    }
};

ThreadPool::ThreadPool(int threads) : shared_(std::make_unique<Shared>()) {
    const int total = threads > 0 ? threads : available_cores();
    try {
        for (int i = 1; i < total; ++i)
            shared_->workers.emplace_back([this] { shared_->serve(); });
    } catch (const std::system_error&) { // a limit on threads or memory
    }
}

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->stopping = true;
    }
    shared_->work_ready.notify_all();
    for (auto& worker : shared_->workers)
        worker.join();
}

int ThreadPool::threads() const { return static_cast<int>(shared_->workers.size()) + 1; }

void ThreadPool::parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
    if (count <= 1 || shared_->workers.empty()) {
        for (std::size_t i = 0; i < count; ++i)
            body(i);
        return;
    }
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->body = &body;
        shared_->count = count;
        shared_->next.store(0);
        ++shared_->generation;
    }
    shared_->work_ready.notify_all();
    shared_->drain();
    std::unique_lock lock(shared_->mutex);
    shared_->work_done.wait(lock, [&] { return shared_->busy == 0; });
    shared_->body = nullptr;
    if (const std::exception_ptr failure = std::exchange(shared_->failure, nullptr)) {
        lock.unlock();
        std::rethrow_exception(failure);
    }
}

} // namespace vitrine
