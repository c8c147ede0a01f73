#pragma once
// Inside core/store only: where HDF5's exceptions stop.
#include <new>
#include <string>

#include <H5Cpp.h>

#include "core/base/result.h"

namespace vitrine::store {

/// Runs `body`, which returns a Status or Result, and turns an exception into an Error of `code`: "`what`:
/// cause." HDF5 prints its errors unless told otherwise, and it must be told once a thread.
template <typename Body>
auto guarded(Code code, const std::string& what, const Body& body) -> decltype(body()) {
    H5::Exception::dontPrint();
    try {
        return body();
    } catch (const H5::Exception& error) {
        return fail(code, what + ": HDF5 reports \"" + error.getDetailMsg() + "\".");
    } catch (const std::bad_alloc&) {
        return fail(Code::out_of_memory, what + ": not enough memory.");
    } catch (const std::exception& error) {
        return fail(Code::internal, what + ": " + error.what() + ".");
    }
}

} // namespace vitrine::store
