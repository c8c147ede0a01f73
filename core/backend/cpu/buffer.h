#pragma once
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include <sys/mman.h>

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
            void* memory = nullptr; // not aligned_alloc, which wants whole multiples of the alignment
            if (posix_memalign(&memory, bytes < huge ? line : huge, bytes) != 0) throw std::bad_alloc();
            memory_.reset(static_cast<S*>(memory));
            // Huge pages where they are whole: far fewer faults and look-ups, and no memory beyond `bytes`.
            if (bytes >= huge) madvise(memory_.get(), bytes / huge * huge, MADV_HUGEPAGE);
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
    static constexpr std::size_t huge = std::size_t{1} << 21;
    struct Free {
        void operator()(S* memory) const { std::free(memory); }
    };
    std::unique_ptr<S, Free> memory_;
    std::size_t capacity_ = 0;
};

} // namespace vitrine::backend::cpu
