#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/entries.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (!survives_as_chat_template({reinterpret_cast<const char*>(data), size})) std::abort();
    return 0;
}
