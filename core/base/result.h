#pragma once
// Errors are values: a code for programs and one sentence for people.
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace vitrine {

/// What kind of failure; the names are `error.code` of the command line.
enum class Code {
    usage,
    not_found,
    unsupported,
    malformed,
    out_of_range,
    too_large,
    device,
    out_of_memory,
    io,
    session,
    cancelled,
    internal,
};

/// "not-found", "out-of-memory", … as the command line writes it.
std::string_view code_name(Code code);

/// A failure: `message` is one sentence that says what happened, to which file or setting, and what to do.
struct Error {
    Code code = Code::internal;
    std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// return fail(Code::malformed, fmt::format("{}: …", path));
inline tl::unexpected<Error> fail(Code code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message)});
}

} // namespace vitrine

#define VITRINE_CONCAT_(a, b) a##b
#define VITRINE_CONCAT(a, b) VITRINE_CONCAT_(a, b)

/// Returns the error of a Result or Status from the enclosing function; drops its value.
#define VITRINE_TRY(expression)                                                                              \
    do {                                                                                                     \
        if (auto try_ = (expression); !try_) return tl::unexpected(std::move(try_.error()));                 \
    } while (false)

/// VITRINE_ASSIGN(auto file, MappedFile::open(path)); declares `file` or returns the error.
#define VITRINE_ASSIGN(declaration, ...)                                                                     \
    auto VITRINE_CONCAT(assign_, __LINE__) = (__VA_ARGS__);                                                  \
    if (!VITRINE_CONCAT(assign_, __LINE__))                                                                  \
        return tl::unexpected(std::move(VITRINE_CONCAT(assign_, __LINE__).error()));                         \
    declaration = std::move(*VITRINE_CONCAT(assign_, __LINE__))
