#pragma once
#include <new>
#include <stdexcept>
#include <string>

#include "core/base/result.h"

namespace vitrine {

/// Runs `body`, which returns a Result or Status; where memory runs out in it, `sentence` is the error.
template <typename Body>
auto within_memory(const char* sentence, const Body& body) -> decltype(body()) {
    try {
        return body();
    } catch (const std::bad_alloc&) {
        return fail(Code::out_of_memory, sentence);
    } catch (const std::length_error&) { // a vector that no memory could hold
        return fail(Code::out_of_memory, sentence);
    }
}

} // namespace vitrine
