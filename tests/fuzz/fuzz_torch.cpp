#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/entries.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (!survives_as_torch(std::as_bytes(std::span(data, size)))) std::abort();
    return 0;
}
