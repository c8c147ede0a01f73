#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine {

/// Which memory of this process is a read-only view of a file, as the system lists it when made.
class MappedPages {
public:
    MappedPages();

    /// Gives back the whole pages of a stored tensor that was copied elsewhere; they are read again when
    /// touched. Does nothing for memory that is not such a view, so that no data can be lost.
    void drop(const std::byte* data, std::size_t bytes) const;

private:
    struct Range {
        std::uintptr_t begin, end;
    };
    std::vector<Range> ranges_;
};

} // namespace vitrine
