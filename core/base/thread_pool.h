#pragma once
#include <cstddef>
#include <functional>
#include <memory>

namespace vitrine {

/// A fixed set of threads that share loops. The calling thread works too; idle workers sleep.
class ThreadPool {
public:
    /// threads >= 1 counts the caller; 0 takes every core the process may use. Where the system gives fewer
    /// threads the pool works with those; threads() says how many.
    explicit ThreadPool(int threads = 0);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int threads() const;

    /// Runs body(i) for i in [0, count), each i on one thread, and returns when all are done.
    /// Must not be called from inside a body. Where a body throws, what has not started is left out, and the
    /// first exception (std::bad_alloc, in practice) comes out here once no thread is inside a body.
    void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

private:
    struct Shared;
    std::unique_ptr<Shared> shared_;
};

} // namespace vitrine
