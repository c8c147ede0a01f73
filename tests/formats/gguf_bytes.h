#pragma once
// Puts a GGUF file together byte by byte, truthful or not.
#include <cstdint>
#include <cstring>
#include <string>

namespace vitrine::test {

template <typename T>
std::string little_endian(T number) {
    std::string bytes(sizeof number, '\0');
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
}

inline std::string gguf_text(const std::string& text) {
    return little_endian(std::uint64_t{text.size()}) + text;
}

/// One metadata entry whose value is `bytes`.
inline std::string gguf_value(const std::string& key, std::uint32_t type, const std::string& bytes) {
    return gguf_text(key) + little_endian(type) + bytes;
}

inline std::string gguf_tensor(const std::string& name, const std::vector<std::uint64_t>& axes,
                               std::uint32_t type, std::uint64_t offset) {
    std::string bytes = gguf_text(name) + little_endian(static_cast<std::uint32_t>(axes.size()));
    for (const std::uint64_t axis : axes)
        bytes += little_endian(axis);
    return bytes + little_endian(type) + little_endian(offset);
}

struct GgufBytes {
    std::uint32_t version = 3;
    std::uint64_t tensors = 0;
    std::uint64_t values = 0;
    std::string metadata; ///< entries, one after another
    std::string infos;    ///< of tensors
    std::string data;

    std::string bytes(std::size_t alignment = 32) const {
        std::string file = "GGUF" + little_endian(version) + little_endian(tensors) + little_endian(values) +
                           metadata + infos;
        file.resize((file.size() + alignment - 1) / alignment * alignment, '\0');
        return file + data;
    }
};

} // namespace vitrine::test
