#pragma once
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace vitrine::backend::cpu {

/// Memory that starts on a cache line, grows, and is not initialised.
template <typename S>
class Buffer {
public:
    /// Room for `count` elements. What was there is lost if it had to grow.
    S* at_least(std::size_t count) {
        if (count > capacity_) {
            memory_.reset();
            capacity_ = 0;
            const std::size_t bytes = (count * sizeof(S) + line - 1) / line * line;
            memory_.reset(static_cast<S*>(std::aligned_alloc(line, bytes)));
            if (memory_ == nullptr) throw std::bad_alloc();
            capacity_ = count;
        }
        return memory_.get();
    }
    S* data() const { return memory_.get(); }
    std::size_t capacity() const { return capacity_; }
    void release() {
        memory_.reset();
        capacity_ = 0;
    }

private:
    static constexpr std::size_t line = 64;
    struct Free {
        void operator()(S* memory) const { std::free(memory); }
    };
    std::unique_ptr<S, Free> memory_;
    std::size_t capacity_ = 0;
};

} // namespace vitrine::backend::cpu
