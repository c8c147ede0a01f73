#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vitrine {

/// SHA-256 over bytes that come in pieces.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void add(std::span<const std::byte> bytes);
    void add(std::string_view text);

    /// 64 hexadecimal digits; the object is used up.
    std::string finish();

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

/// SHA-256 of a text, 64 hexadecimal digits.
std::string sha256(std::string_view text);

} // namespace vitrine
