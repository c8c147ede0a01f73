#include "core/base/mapped_pages.h"

#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace vitrine {

MappedPages::MappedPages() {
    std::ifstream maps("/proc/self/maps");
    // 7f12a000-7f12b000 r--p 00000000 08:01 1234 /path; inode 0 is memory without a file.
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        std::string addresses, access, offset, device, inode;
        words >> addresses >> access >> offset >> device >> inode;
        if (!access.starts_with("r--") || inode.empty() || inode == "0") continue;
        Range range{};
        const char* end = addresses.data() + addresses.size();
        const auto first = std::from_chars(addresses.data(), end, range.begin, 16);
        if (first.ptr == end) continue;
        std::from_chars(first.ptr + 1, end, range.end, 16);
        ranges_.push_back(range);
    }
}

void MappedPages::drop(const std::byte* data, std::size_t bytes) const {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto address = reinterpret_cast<std::uintptr_t>(data);
    const std::uintptr_t begin = (address + page - 1) / page * page;
    const std::uintptr_t end = (address + bytes) / page * page;
    if (begin >= end) return;
    for (const Range& range : ranges_)
        if (range.begin <= begin && end <= range.end)
            madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

} // namespace vitrine
