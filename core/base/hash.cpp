#include "core/base/hash.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace vitrine {

struct Sha256::Context {
    EVP_MD_CTX* handle = EVP_MD_CTX_new();
    Context() { EVP_DigestInit_ex(handle, EVP_sha256(), nullptr); }
    ~Context() { EVP_MD_CTX_free(handle); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
    EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size());
}

void Sha256::add(std::string_view text) { add(std::as_bytes(std::span(text))); }

std::string Sha256::finish() {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_->handle, digest.data(), &size);
    std::string hex;
    for (unsigned int i = 0; i < size; ++i)
        hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

std::string sha256(std::string_view text) {
    Sha256 hash;
    hash.add(text);
    return hash.finish();
}

} // namespace vitrine
